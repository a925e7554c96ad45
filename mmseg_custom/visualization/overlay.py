"""Pictures of label masks over photos."""

from collections.abc import Sequence

import numpy as np

from mmseg_custom.coco import PALETTE, colourise

OPACITY = 0.6


def overlay(
    photo: np.ndarray, mask: np.ndarray, palette: Sequence[Sequence[int]] = PALETTE
) -> np.ndarray:
    """Lay the classes' colours over a photo; Background stays as it is.

    Args:
        photo: ``(H, W, 3)`` uint8 RGB.
        mask: ``(H, W)`` uint8 labels.
        palette: One (R, G, B) a class.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB.
    """
    mixed = (1 - OPACITY) * photo + OPACITY * colourise(mask, palette)
    return np.where((mask > 0)[..., None], mixed.round().astype(np.uint8), photo)
