"""Scaling a photo at random and cutting a piece of the photo's own size."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform, RandomResize
from mmseg.datasets.transforms import RandomCrop
from mmseg.registry import TRANSFORMS

TRIES = 10


class CountingCrop(RandomCrop):
    """``RandomCrop`` that draws the same pieces, and counts their labels without sorting pixels.

    Sorting (``np.unique``, up to ten times a photo) takes 40 % of the full stock pipeline.
    """

    def crop_bbox(self, results: dict) -> tuple[int, int, int, int]:
        """Draw a piece: first and last row, first and last column, the last ones excluded."""
        box = self._draw(results['img'].shape)
        if self.cat_max_ratio < 1:
            for _ in range(TRIES):
                if self._is_mixed(self.crop(results['gt_seg_map'], box)):
                    break
                box = self._draw(results['img'].shape)
        return box

    def _draw(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        height, width = self.crop_size
        top = np.random.randint(max(shape[0] - height, 0) + 1)
        left = np.random.randint(max(shape[1] - width, 0) + 1)
        return top, top + height, left, left + width

    def _is_mixed(self, mask: np.ndarray) -> bool:
        """Return whether ``(H, W)`` uint8 labels are of several classes, none of which rules."""
        counts = cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel().astype(np.int64)
        counts[self.ignore_index] = 0
        largest, total = counts.max(), counts.sum()
        return largest < total and largest / total < self.cat_max_ratio


@TRANSFORMS.register_module()
class RandomScaleCrop(BaseTransform):
    """``RandomResize`` and ``RandomCrop`` whose sizes follow from the photo.

    The photo is scaled by a random ratio, and a piece as large as the photo was is cut out. A
    pipeline with it names no size, so that it fits sets of any one size. A photo made smaller stays
    complete; the data preprocessor pads it.

    Required keys: ``img`` (``(H, W, 3)``), ``gt_seg_map`` (``(H, W)``), ``img_shape``.

    Args:
        ratio_range: Smallest and largest scale factor.
        cat_max_ratio: The largest fraction of the piece that one class may fill; up to ten are
            tried for it.
        size: ``(H, W)`` of the piece in pixels; by default the photo's own. Give one for a set
            whose photos differ in size.
    """

    def __init__(
        self,
        ratio_range: tuple[float, float] = (0.5, 2.0),
        cat_max_ratio: float = 0.75,
        size: tuple[int, int] | None = None,
    ):
        self.ratio_range = ratio_range
        self.cat_max_ratio = cat_max_ratio
        self.size = size

    def transform(self, results: dict) -> dict:
        """Scale and crop ``img`` and the masks in ``seg_fields``."""
        height, width = self.size or results['img_shape']
        resize = RandomResize(scale=(width, height), ratio_range=self.ratio_range, keep_ratio=True)
        crop = CountingCrop(crop_size=(height, width), cat_max_ratio=self.cat_max_ratio)
        return crop(resize(results))

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(ratio_range={self.ratio_range}, '
            f'cat_max_ratio={self.cat_max_ratio}, size={self.size})'
        )
