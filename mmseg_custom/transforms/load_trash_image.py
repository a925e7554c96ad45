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
        keep: Each process that loads photos keeps so many decoded ones in memory: decoding is half
            of the loading of a small set. 0: none. A file that changes meanwhile is not noticed.
    """

    def __init__(self, to_float32: bool = False, backend_args: dict | None = None, keep: int = 0):
        self.to_float32 = to_float32
        self.backend_args = backend_args
        self.keep = keep
        self._kept: dict[str, np.ndarray] = {}

    def transform(self, results: dict) -> dict:
        """Load the photo of ``results['img_path']``.

        Raises:
            UserError: The photo is missing, damaged, too large, or of another size than stated.
        """
        img = self._photo(results)
        if self.to_float32:
            img = img.astype(np.float32)
        results['img'] = img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def _photo(self, results: dict) -> np.ndarray:
        path = results['img_path']
        if path in self._kept:
            return self._kept[path].copy()
        stated = results.get('height'), results.get('width')
        img = decode_bytes(path, self._read(path), *stated)
        if len(self._kept) < self.keep:
            self._kept[path] = img.copy()
        return img

    def _read(self, path: str) -> bytes:
        try:
            return fileio.get(fetched(path), backend_args=self.backend_args)
        except FileNotFoundError:
            raise UserError(missing_photo(path)) from None
