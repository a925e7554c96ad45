"""Scaling a photo at random and cutting a piece of the photo's own size."""

from mmcv.transforms import BaseTransform, RandomResize
from mmseg.datasets.transforms import RandomCrop
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomScaleCrop(BaseTransform):
    """``RandomResize`` and ``RandomCrop`` whose sizes follow from the photo.

    The photo is scaled by a random ratio, and a piece as large as the photo was is cut out. A
    pipeline with it names no size, so that it fits sets of any one size. A photo made smaller stays
    whole; the data preprocessor pads it.

    Required keys: ``img`` (``(H, W, 3)``), ``gt_seg_map`` (``(H, W)``), ``img_shape``.

    Args:
        ratio_range: Smallest and largest scale factor.
        cat_max_ratio: The largest share of the piece that one class may fill; up to ten pieces are
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
        crop = RandomCrop(crop_size=(height, width), cat_max_ratio=self.cat_max_ratio)
        return crop(resize(results))

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(ratio_range={self.ratio_range}, '
            f'cat_max_ratio={self.cat_max_ratio}, size={self.size})'
        )
