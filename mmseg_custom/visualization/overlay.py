"""Pictures of label masks over photos."""

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco import colorize

OPACITY = 0.6


def overlay(photo: np.ndarray, mask: np.ndarray, classes: ClassList) -> np.ndarray:
    """Lay the colors of the classes over a photo; unlabeled pixels stay as they are.

    Args:
        photo: ``(H, W, 3)`` uint8 RGB.
        mask: ``(H, W)`` uint8 labels.
        classes: What the labels mean.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB.
    """
    mixed = (1 - OPACITY) * photo + OPACITY * colorize(mask, classes)
    return np.where((mask != classes.unlabeled)[..., None], mixed.round().astype(np.uint8), photo)
