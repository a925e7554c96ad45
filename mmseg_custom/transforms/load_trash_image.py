"""Loading a photo, with its file named when something is wrong with it."""

import mmcv
import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmseg.registry import TRANSFORMS

from mmseg_custom.coco.photos import is_whole, missing_photo, require_photo
from mmseg_custom.utils import UserError


@TRANSFORMS.register_module()
class LoadTrashImage(LoadImageFromFile):
    """Load a photo and refuse one that is missing, cut short, or of another size than stated.

    EXIF rotation is honoured. Takes the arguments of ``mmcv.transforms.LoadImageFromFile``.

    Required keys: ``img_path``; ``height`` and ``width`` (pixels), compared when present.

    Added keys: ``img`` (``(H, W, 3)`` uint8 BGR, 0..255), ``img_shape`` and ``ori_shape``
    (``(H, W)``).
    """

    def transform(self, results: dict) -> dict:
        """Load the photo of ``results['img_path']``.

        Raises:
            UserError: Names the file and the mend.
        """
        path = results['img_path']
        decoded = self._decode(self._read(path))
        img = require_photo(path, decoded, results.get('height'), results.get('width'))
        if self.to_float32:
            img = img.astype(np.float32)
        results['img'] = img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def _read(self, path: str) -> bytes:
        try:
            return fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError:
            raise UserError(missing_photo(path)) from None

    def _decode(self, content: bytes) -> np.ndarray | None:
        if not is_whole(content):
            return None
        return mmcv.imfrombytes(content, flag=self.color_type, backend=self.imdecode_backend)
