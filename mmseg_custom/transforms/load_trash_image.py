"""Load a photo; a message about one names its file."""

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmseg_custom.coco.photos import decode_bytes, missing_photo
from mmseg_custom.utils import UserError
from mmseg_custom.utils.remote import fetched


@TRANSFORMS.register_module()
class LoadTrashImage(BaseTransform):
    """Load a photo as every command sees it (:mod:`mmseg_custom.coco.decode_photo`).

    Required keys: ``img_path``; ``height`` and ``width`` (pixels), compared when present.

    Added keys: ``img`` (``(H, W, 3)`` uint8 BGR, 0..255), ``img_shape`` and ``ori_shape``
    (``(H, W)``).

    Args:
        to_float32: Return ``img`` as float32, 0..255.
        backend_args: Of ``mmengine.fileio``, for files that are not on a local disk.
    """

    def __init__(self, to_float32: bool = False, backend_args: dict | None = None):
        self.to_float32 = to_float32
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Load the photo of ``results['img_path']``.

        Raises:
            UserError: The photo is missing, damaged, too large, or of another size than stated.
        """
        path = results['img_path']
        stated = results.get('height'), results.get('width')
        img = decode_bytes(path, self._read(path), *stated)
        if self.to_float32:
            img = img.astype(np.float32)
        results['img'] = img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def _read(self, path: str) -> bytes:
        try:
            return fileio.get(fetched(path), backend_args=self.backend_args)
        except FileNotFoundError:
            raise UserError(missing_photo(path)) from None
