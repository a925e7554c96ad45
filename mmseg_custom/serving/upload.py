"""Photos that come from anyone: judged by their header before a pixel is decoded."""

from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from mmseg_custom.utils import UserError

MEDIA_TYPES = {'JPEG': 'image/jpeg', 'PNG': 'image/png', 'WEBP': 'image/webp'}
FIRST_LYING = 5


class UploadError(UserError):
    """An upload that is refused.

    Args:
        message: What is wrong with it and what is wanted.
        status: The HTTP status that says the same.
    """

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """What is accepted, and what is made of it.

    Attributes:
        max_bytes: Of the file.
        max_pixels: Width times height that the file's header states.
        max_side: A photo whose longer side has more pixels is shrunk to this before the model
            sees it; the models are trained on photos of 512.
    """

    max_bytes: int = 10_000_000
    max_pixels: int = 25_000_000
    max_side: int = 512


@dataclass(frozen=True)
class Upload:
    """A photo that was accepted.

    Attributes:
        photo: ``(H, W, 3)`` uint8 RGB, at most ``max_side`` high and wide.
        height: Of the file as EXIF rotation shows it, in pixels.
        width: The same.
    """

    photo: np.ndarray
    height: int
    width: int


def read_upload(file: BinaryIO | SpooledTemporaryFile[bytes], limits: Limits) -> Upload:
    """Read a photo; EXIF rotation is honoured.

    Args:
        file: The file's bytes, at most ``max_bytes`` of them; whoever receives them counts.
        limits: See there.

    Raises:
        UploadError: It is no JPEG, PNG or WebP (415), has too many pixels (413), or is damaged
            (422).
    """
    image = _open(file)
    width, height = image.size
    if width * height > limits.max_pixels:
        raise _too_many_pixels(f'{width}x{height}', limits)
    try:
        if image.getexif().get(ExifTags.Base.Orientation, 1) >= FIRST_LYING:
            width, height = height, width
        photo = np.asarray(_decode(image, limits.max_side))
    except Exception as error:
        # Decoders raise anything at bytes that were made to break them: the file is to blame.
        raise UploadError(f'the photo is damaged ({error}); send a whole file', 422) from None
    return Upload(photo, height, width)


def _open(file: BinaryIO | SpooledTemporaryFile[bytes]) -> Image.Image:
    """Read the header; the type is what the first bytes say, whatever the file is called."""
    try:
        return Image.open(file, formats=tuple(MEDIA_TYPES))
    except UnidentifiedImageError:
        raise UploadError('this is no JPEG, PNG or WebP photo; send one of these', 415) from None
    except Image.DecompressionBombError as error:
        raise UploadError(f'the photo is too large ({error}); make it smaller', 413) from None
    except Exception as error:
        raise UploadError(f'the photo is damaged ({error}); send a whole file', 422) from None


def _too_many_pixels(size: str, limits: Limits) -> UploadError:
    most = limits.max_pixels / 1e6
    return UploadError(f'the photo has {size} pixels, more than {most:g} million; shrink it', 413)


def _decode(image: Image.Image, max_side: int) -> Image.Image:
    """Return a photo upright, RGB and at most so large."""
    # Shrinking a JPEG decodes it at the smallest size that is enough, in a fraction of the memory.
    rgb = image if image.mode == 'RGB' else image.convert('RGB')
    rgb.thumbnail((max_side, max_side))
    return ImageOps.exif_transpose(rgb)
