"""Label masks as palette PNG files: class indices inside, colours for the eye."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mmseg_custom.classes import IGNORE_INDEX, PALETTE
from mmseg_custom.utils import UserError, atomic_path

from .decode_photo import PhotoProblem, open_photo

IGNORE_COLOUR = (255, 255, 255)


def palette_bytes(palette: Sequence[Sequence[int]] = PALETTE) -> bytes:
    """Return the 768 bytes of a PNG palette: the classes' colours, white for ``IGNORE_INDEX``."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = palette
    table[IGNORE_INDEX] = IGNORE_COLOUR
    return table.tobytes()


def mask_image(mask: np.ndarray, palette: Sequence[Sequence[int]] = PALETTE) -> Image.Image:
    """Return an ``(H, W)`` uint8 label mask as a palette image, one (R, G, B) a class."""
    image = Image.fromarray(np.ascontiguousarray(mask, dtype=np.uint8), mode='P')
    image.putpalette(palette_bytes(palette))
    return image


def save_mask(
    path: str | os.PathLike, mask: np.ndarray, palette: Sequence[Sequence[int]] = PALETTE
) -> None:
    """Write a label mask as a palette PNG, whole or not at all.

    Args:
        path: Where to write; missing folders are made.
        mask: ``(H, W)`` labels, uint8.
        palette: One (R, G, B) a class.
    """
    with atomic_path(path) as temporary:
        mask_image(mask, palette).save(temporary)


def colourise(mask: np.ndarray, palette: Sequence[Sequence[int]] = PALETTE) -> np.ndarray:
    """Return the ``(H, W, 3)`` uint8 RGB picture of an ``(H, W)`` uint8 label mask."""
    table = np.frombuffer(palette_bytes(palette), np.uint8).reshape(256, 3)
    return table[mask]


def load_mask(
    path: str | os.PathLike, height: int, width: int, num_classes: int = len(PALETTE)
) -> np.ndarray:
    """Read a label mask from a PNG.

    Args:
        path: A palette or 8-bit gray PNG whose values are class indices.
        height: The photo's height in pixels.
        width: The photo's width in pixels.
        num_classes: Labels must be below this, or be ``IGNORE_INDEX``.

    Returns:
        np.ndarray: ``(height, width)`` uint8 labels.

    Raises:
        UserError: The file is missing or unreadable, is a color image, has another size or
            another label.
    """
    try:
        with open(path, 'rb') as file:
            image = open_photo(file)
            _require_mask(path, image, height, width)
            mask = np.array(image)
    except FileNotFoundError:
        raise UserError(f'{path}: no such mask file; make it, or correct "seg_map_path"') from None
    except PhotoProblem as problem:
        raise UserError(f'{path}: the mask {problem}; make it again') from None
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f'{path}: cannot be read as an image ({error}); make it again') from None
    check_labels(path, mask, num_classes)
    return mask


def _require_mask(path: str | os.PathLike, image: Image.Image, height: int, width: int) -> None:
    if image.mode not in ('P', 'L'):
        raise UserError(
            f'{path}: is a {image.mode} image; a mask is a palette or 8-bit gray PNG of class '
            'indices'
        )
    if image.size != (width, height):
        raise UserError(
            f'{path}: the mask is {image.size[0]}x{image.size[1]}, its photo {width}x{height}; '
            'make the mask again for this photo'
        )


def check_labels(path: str | os.PathLike, mask: np.ndarray, num_classes: int) -> None:
    """Raise a UserError that names the file when a mask has a label that is no class.

    Args:
        path: Named in the message.
        mask: ``(H, W)`` uint8 labels.
        num_classes: Labels must be below this, or be ``IGNORE_INDEX``.
    """
    present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    strange = [int(v) for v in present if v >= num_classes and v != IGNORE_INDEX]
    if strange:
        raise UserError(
            f'{path}: has the label {strange[0]}; labels are 0..{num_classes - 1} '
            f'and {IGNORE_INDEX} (ignore). Map the values to class indices'
        )
