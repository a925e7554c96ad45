"""Find and read photos; a message about one names its file."""

import io
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from PIL import Image

from mmseg_custom.utils import UserError
from mmseg_custom.utils.remote import fetched

from .decode_photo import (
    PhotoProblem,
    open_photo,
    require_decodable,
    upright_rgb,
    upright_size,
)

PHOTO_SUFFIXES = frozenset(('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff'))
Photo = str | os.PathLike | bytes | Image.Image | np.ndarray
REDUCTION = 4
Result = TypeVar('Result')


def is_photo(path: Path) -> bool:
    """Return whether a file's name is that of a photo: a known suffix, and not hidden."""
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith('.')


def read_photo(
    path: str | os.PathLike,
    height: int | None = None,
    width: int | None = None,
    rotate: bool = True,
) -> np.ndarray:
    """Read a photo as every command sees it (:mod:`~mmseg_custom.coco.decode_photo`).

    Args:
        path: The file.
        height: Stated height in pixels, compared unless None.
        width: Stated width in pixels.
        rotate: Apply EXIF rotation.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 BGR.

    Raises:
        UserError: The photo is missing, damaged, too large, or of another size.
    """
    photo = _of_file(path, lambda image: _bgr(upright_rgb(image, rotate=rotate)))
    return require_size(path, photo, height, width)


def decode_bytes(
    path: str | os.PathLike, content: bytes, height: int | None = None, width: int | None = None
) -> np.ndarray:
    """Decode the content of a file; see :func:`read_photo`.

    Args:
        path: Named in messages.
        content: The bytes.
        height: Stated height in pixels, compared unless None.
        width: Stated width in pixels.
    """
    with _naming(path):
        photo = _bgr(upright_rgb(open_photo(io.BytesIO(content))))
    return require_size(path, photo, height, width)


def read_reduced_gray(path: str | os.PathLike) -> np.ndarray:
    """Read a photo at a quarter of its size, which for a JPEG takes a fraction of the time.

    Args:
        path: The file.

    Returns:
        np.ndarray: ``(H / 4, W / 4)`` uint8 gray values.

    Raises:
        UserError: The photo is missing, damaged or too large.
    """
    return _of_file(path, _reduced_gray)


def photo_size(path: str | os.PathLike) -> tuple[int, int]:
    """Return ``(height, width)`` in pixels after EXIF rotation; only the header is read.

    Args:
        path: The file.

    Raises:
        UserError: It is missing, no image, or too large.
    """
    return _of_file(path, upright_size)


def to_bgr(photo: Photo) -> np.ndarray:
    """Return a photo as ``(H, W, 3)`` uint8 BGR.

    Args:
        photo: A file, the bytes of one, a Pillow image (its EXIF rotation is applied, too), or an
            ``(H, W, 3)`` uint8 RGB array.

    Raises:
        UserError: It cannot be used.
    """
    if isinstance(photo, str | os.PathLike):
        return read_photo(photo)
    if isinstance(photo, bytes):
        return decode_bytes('the photo', photo)
    if isinstance(photo, Image.Image):
        with _naming(getattr(photo, 'filename', '') or 'the photo'):
            require_decodable(photo)
            return _bgr(upright_rgb(photo))
    return swap_channels(_rgb_array(photo))


def to_rgb(photo: Photo) -> np.ndarray:
    """Return a photo as ``(H, W, 3)`` uint8 RGB, not copied if it is one; see :func:`to_bgr`."""
    if isinstance(photo, str | os.PathLike | bytes | Image.Image):
        return to_bgr(photo)[..., ::-1]
    return _rgb_array(photo)


def _rgb_array(photo: Any) -> np.ndarray:
    array = np.asarray(photo)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise UserError(
            f'a photo is an (H, W, 3) uint8 RGB array; this one is {array.shape} {array.dtype}'
        )
    return array


def swap_channels(photo: np.ndarray) -> np.ndarray:
    """Return BGR for RGB, and RGB for BGR; ``(H, W, 3)`` uint8, contiguous.

    OpenCV does it several times as fast as NumPy copies ``photo[..., ::-1]``.
    """
    return cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2BGR)


def require_size(
    path: str | os.PathLike, photo: np.ndarray, height: int | None, width: int | None
) -> np.ndarray:
    """Return a photo that has the size that is stated.

    Args:
        path: Named in the message.
        photo: ``(H, W, …)``.
        height: Stated height in pixels, compared unless None.
        width: Stated width in pixels.

    Raises:
        UserError: The sizes differ.
    """
    found = photo.shape[:2]
    stated = (found[0] if height is None else height, found[1] if width is None else width)
    if found != stated:
        raise UserError(
            f'{path}: the photo is {found[1]}x{found[0]}, the annotation file says '
            f'{stated[1]}x{stated[0]}; correct the file, or put the right photo there'
        )
    return photo


def missing_photo(path: str | os.PathLike) -> str:
    """Return the message about a photo that is not there."""
    return (
        f'{path}: no such photo; put it there, correct the data root, or drop it from the '
        'annotation file'
    )


def _of_file(path: str | os.PathLike, use: Callable[[Image.Image], Result]) -> Result:
    """Return what ``use`` makes of an opened photo, its pixels not yet decoded."""
    try:
        file = open(fetched(path), 'rb')  # noqa: SIM115 (closed below, whatever reading it raises)
    except FileNotFoundError:
        raise UserError(missing_photo(path)) from None
    except UserError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(f'{path}: this photo cannot be opened: {error}') from None
    with file, _naming(path):
        return use(open_photo(file))


@contextmanager
def _naming(path: str | os.PathLike):
    try:
        yield
    except PhotoProblem as problem:
        raise PhotoProblem(problem.reason, problem.fault, path) from None


def _bgr(image: Image.Image) -> np.ndarray:
    return swap_channels(np.asarray(image))


def _reduced_gray(image: Image.Image) -> np.ndarray:
    whole = image.size
    image.draft('L', (max(1, whole[0] // REDUCTION), max(1, whole[1] // REDUCTION)))
    drafted = image.size != whole
    gray = upright_rgb(image).convert('L')
    return np.asarray(gray if drafted else gray.reduce(REDUCTION))
