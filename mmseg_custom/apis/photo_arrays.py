"""The forms in which a photo can be given to a segmenter."""

import os

import numpy as np
from PIL import Image

from mmseg_custom.coco.photos import read_photo
from mmseg_custom.utils import UserError

Photo = str | os.PathLike | Image.Image | np.ndarray


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
