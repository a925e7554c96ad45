"""Reading photos, with the file named when something is wrong with it."""

import io
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmseg_custom.utils import UserError

PHOTO_SUFFIXES = frozenset(('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff'))
EXIF_ORIENTATION, FIRST_LYING = 0x0112, 5
Photo = str | os.PathLike | Image.Image | np.ndarray
# The last bytes of a whole file. OpenCV 4 decodes a cut JPEG without a word, grey where data ends.
END_MARKS = {b'\xff\xd8': b'\xff\xd9', b'\x89P': b'IEND\xaeB`\x82'}
TAIL_BYTES = 64


def read_photo(
    path: str | os.PathLike, height: int | None = None, width: int | None = None
) -> np.ndarray:
    """Read a photo; EXIF rotation is honoured.

    Args:
        path: The file.
        height: Stated height in pixels, compared unless None.
        width: Stated width in pixels.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 BGR.

    Raises:
        UserError: It is missing, truncated, no image, or of another size.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(missing_photo(path)) from None
    except (OSError, ValueError) as error:
        raise UserError(f'{path}: this photo cannot be opened: {error}') from None
    photo = None
    if is_whole(content):
        photo = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return require_photo(path, photo, height, width)


def missing_photo(path: str | os.PathLike) -> str:
    """Return the message about a photo that is not there."""
    return (
        f'{path}: no such photo; put it there, correct the data root, or drop it from the '
        'annotation file'
    )


def require_photo(
    path: str | os.PathLike,
    photo: np.ndarray | None,
    height: int | None = None,
    width: int | None = None,
) -> np.ndarray:
    """Return a photo that was decoded, and has the size that is stated.

    Args:
        path: Named in the message.
        photo: ``(H, W, …)``, or None when it could not be decoded.
        height: Stated height in pixels, compared unless None.
        width: Stated width in pixels.

    Raises:
        UserError: Names the file and the mend.
    """
    if photo is None:
        raise UserError(f'{path}: the photo is truncated or no image; fetch it anew')
    found = photo.shape[:2]
    stated = (found[0] if height is None else height, found[1] if width is None else width)
    if found != stated:
        raise UserError(
            f'{path}: the photo is {found[1]}x{found[0]}, the annotation file says '
            f'{stated[1]}x{stated[0]}; correct the file, or put the right photo there'
        )
    return photo


def is_whole(content: bytes) -> bool:
    """Tell whether an image file's bytes are all there.

    The end mark is looked for first, which is free; only a file without it (cut short, with data
    appended behind the picture, or of another format) is decoded by Pillow to make sure.
    """
    mark = END_MARKS.get(content[:2])
    if mark and mark in content[-TAIL_BYTES:]:
        return True
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def photo_size(path: Path) -> tuple[int, int]:
    """Return ``(height, width)`` in pixels as EXIF rotation shows the photo.

    Args:
        path: The file, of which only the header is read.

    Raises:
        UserError: It is no image.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            lying = image.getexif().get(EXIF_ORIENTATION, 1) >= FIRST_LYING
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f'{path}: cannot be read as an image ({error}); fetch it anew') from None
    return (width, height) if lying else (height, width)


def relative_name(img_path: str, dataset) -> str:
    """Return where a photo lies below its dataset's image folder."""
    folder = getattr(dataset, 'data_prefix', {}).get('img_path') or os.path.dirname(img_path)
    name = os.path.relpath(img_path, folder)
    return os.path.basename(img_path) if name.startswith('..') else name


def to_bgr(photo: Photo) -> np.ndarray:
    """Return a photo as ``(H, W, 3)`` uint8 BGR.

    Args:
        photo: See :class:`TrashSegmenter`.

    Raises:
        UserError: See :meth:`TrashSegmenter.__call__`.
    """
    if isinstance(photo, str | os.PathLike):
        return read_photo(photo)
    array = np.asarray(photo.convert('RGB') if isinstance(photo, Image.Image) else photo)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise UserError(
            f'a photo is an (H, W, 3) uint8 RGB array; this one is {array.shape} {array.dtype}: '
            'convert it'
        )
    return array[..., ::-1]
