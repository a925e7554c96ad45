"""Photos that come from anyone: judged by their header before a pixel is decoded."""

from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import numpy as np

from mmseg_custom.coco.decode_photo import (
    DAMAGE,
    FORMAT,
    MAX_PIXELS,
    SIZE,
    PhotoProblem,
    open_photo,
    upright_rgb,
    upright_size,
)
from mmseg_custom.utils import UserError

MEDIA_TYPES = {'JPEG': 'image/jpeg', 'PNG': 'image/png', 'WEBP': 'image/webp'}
STATUSES = {FORMAT: 415, SIZE: 413, DAMAGE: 422}


class UploadError(UserError):
    """An upload that is refused.

    Args:
        message: What is wrong with it and what is wanted.
        status: The HTTP status that says the same.
    """

    def __init__(self, message: str, status: int = 422):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """What is accepted, and what is made of it.

    Attributes:
        max_bytes: Largest size of the file, in bytes.
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
    """Read a photo as every command sees it (:mod:`mmseg_custom.coco.decode_photo`).

    Args:
        file: The file's bytes, at most ``max_bytes`` of them; whoever receives them counts.
        limits: See there.

    Raises:
        UploadError: It is no JPEG, PNG or WebP (415), has too many pixels or scans (413), or is
            damaged (422).
    """
    max_pixels = min(limits.max_pixels, MAX_PIXELS)
    try:
        image = open_photo(cast(BinaryIO, file), tuple(MEDIA_TYPES), max_pixels)
        height, width = upright_size(image)
        photo = np.asarray(upright_rgb(image, limits.max_side))
    except PhotoProblem as problem:
        raise UploadError(f'the photo {problem}', STATUSES[problem.fault]) from None
    return Upload(photo, height, width)
