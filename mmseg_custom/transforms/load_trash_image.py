"""Loading a photo, with its file named when something is wrong with it."""

import io

import mmcv
import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmseg.registry import TRANSFORMS
from PIL import Image

from mmseg_custom.utils import UserError

# The last bytes of a whole file. OpenCV 4 decodes a cut JPEG without a word, grey where data ends.
END_MARKS = {b'\xff\xd8': b'\xff\xd9', b'\x89P': b'IEND\xaeB`\x82'}
TAIL_BYTES = 64


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
        img = self._decode(path, self._read(path))
        stated = (results.get('height', img.shape[0]), results.get('width', img.shape[1]))
        if img.shape[:2] != stated:
            raise UserError(
                f'{path}: the photo is {img.shape[1]}x{img.shape[0]}, the annotation file says '
                f'{stated[1]}x{stated[0]}; correct the file, or put the right photo there'
            )
        if self.to_float32:
            img = img.astype(np.float32)
        results['img'] = img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def _read(self, path: str) -> bytes:
        try:
            return fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError:
            raise UserError(
                f'{path}: no such photo; put it there, correct the data root, or drop it from the '
                'annotation file'
            ) from None

    def _decode(self, path: str, content: bytes) -> np.ndarray:
        img = None
        if _is_whole(content):
            img = mmcv.imfrombytes(content, flag=self.color_type, backend=self.imdecode_backend)
        if img is None:
            raise UserError(f'{path}: the photo is truncated or no image; fetch it anew')
        return img


def _is_whole(content: bytes) -> bool:
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
