"""Label masks as palette PNG files: class indices inside, colors for the eye."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError, atomic_path
from mmseg_custom.utils.colors import Color
from mmseg_custom.utils.remote import fetched

from .decode_photo import PhotoProblem, open_photo

IGNORE_COLOR = (255, 255, 255)


def palette_bytes(classes: ClassList, colors: Sequence[Color]) -> bytes:
    """Return the 768 bytes of a PNG palette: the given colors, white for the ignored label."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(classes)] = colors
    table[classes.ignore_index] = IGNORE_COLOR
    return table.tobytes()


def mask_image(
    mask: np.ndarray, classes: ClassList, colors: Sequence[Color] | None = None
) -> Image.Image:
    """Return a label mask as a palette image.

    Args:
        mask: ``(H, W)`` uint8 labels.
        classes: The class list.
        colors: One ``(R, G, B)`` per class; ``classes.mask_colors`` if None.
    """
    image = Image.fromarray(np.ascontiguousarray(mask, dtype=np.uint8), mode='P')
    image.putpalette(palette_bytes(classes, classes.mask_colors if colors is None else colors))
    return image


def save_mask(path: str | os.PathLike, mask: np.ndarray, classes: ClassList) -> None:
    """Write a label mask as a palette PNG, atomically.

    Args:
        path: Where to write; missing folders are made.
        mask: ``(H, W)`` uint8 labels.
        classes: Its ``mask_colors`` become the palette.
    """
    with atomic_path(path) as temporary:
        mask_image(mask, classes).save(temporary)


def colorize(mask: np.ndarray, classes: ClassList) -> np.ndarray:
    """Return the ``(H, W, 3)`` uint8 RGB picture of an ``(H, W)`` uint8 label mask.

    It has the colors for people (``classes.colors``), not those of mask files.
    """
    table = np.frombuffer(palette_bytes(classes, classes.colors), np.uint8).reshape(256, 3)
    return table[mask]


def load_mask(path: str | os.PathLike, height: int, width: int, classes: ClassList) -> np.ndarray:
    """Read a label mask from a PNG.

    Args:
        path: A palette or 8-bit gray PNG whose values are class indices.
        height: The photo's height in pixels.
        width: The photo's width in pixels.
        classes: Says which labels there may be.

    Returns:
        np.ndarray: ``(height, width)`` uint8 labels.

    Raises:
        UserError: The file is missing or unreadable, is a color image, has another size or
            another label.
    """
    try:
        with open(fetched(path), 'rb') as file:
            image = open_photo(file)
            _require_mask(path, image, height, width)
            mask = np.array(image)
    except FileNotFoundError:
        raise UserError(f'{path}: no such mask file; make it, or correct "seg_map_path"') from None
    except PhotoProblem as problem:
        raise UserError(f'{path}: the mask {problem}; make it again') from None
    except UserError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f'{path}: cannot be read as an image ({error}); make it again') from None
    check_labels(path, mask, classes)
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


def check_labels(path: str | os.PathLike, mask: np.ndarray, classes: ClassList) -> None:
    """Raise when a mask has a label that is neither a class nor ignored.

    Args:
        path: Named in the message.
        mask: ``(H, W)`` uint8 labels.
        classes: The class list.

    Raises:
        UserError: Names the file and the label.
    """
    present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    unknown = [int(v) for v in present if v >= len(classes) and v != classes.ignore_index]
    if unknown:
        raise UserError(
            f'{path}: has the label {unknown[0]}; labels are 0..{len(classes) - 1} '
            f'and {classes.ignore_index} (ignored). Map the values to class indices'
        )
