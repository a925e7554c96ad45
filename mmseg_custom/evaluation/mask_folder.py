"""Write predicted masks as mmseg's ``IoUMetric`` does."""

from pathlib import Path

import numpy as np
from PIL import Image

from mmseg_custom.utils import UserError, atomic_path


class MaskFolder:
    """A folder of predicted masks, PNG files of class indices named after the photos.

    Args:
        folder: Is made when the first mask is written.
    """

    def __init__(self, folder: str):
        self._folder = Path(folder)
        self._photo_of: dict[str, str] = {}

    def write(self, img_path: str, labels: np.ndarray) -> None:
        """Write the mask of one photo; again where the sampler repeats the photo.

        Args:
            img_path: The photo.
            labels: ``(H, W)`` uint8.

        Raises:
            UserError: Another photo has the same name.
        """
        name = f'{Path(img_path).stem}.png'
        first = self._photo_of.setdefault(name, img_path)
        if first != img_path:
            raise UserError(
                f'{self._folder / name}: would be the mask of {first} and of {img_path}: masks are '
                'named after the photos, which need different names'
            )
        with atomic_path(self._folder / name) as temporary:
            Image.fromarray(labels).save(temporary)
