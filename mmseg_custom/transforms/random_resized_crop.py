"""Cutting a piece of random size and shape, stretched to the photo's own size."""

import mmcv
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from torchvision.transforms import RandomResizedCrop as Torchvision


@TRANSFORMS.register_module()
class RandomResizedCrop(BaseTransform):
    """torchvision's ``RandomResizedCrop`` for a photo and its mask.

    Required keys: ``img`` (``(H, W, 3)``), ``gt_seg_map`` (``(H, W)``), ``img_shape``.

    Args:
        scale: Smallest and largest fraction of the photo's area that is cut.
        ratio: Smallest and largest width to height of the piece.
        size: ``(H, W)`` that the piece is stretched to, in pixels; by default the photo's own.
    """

    def __init__(
        self,
        scale: tuple[float, float] = (0.25, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        size: tuple[int, int] | None = None,
    ):
        self.scale = scale
        self.ratio = ratio
        self.size = size

    def transform(self, results: dict) -> dict:
        """Cut and stretch ``img`` and the masks in ``seg_fields``."""
        height, width = self.size or results['img_shape']
        # torchvision draws from torch's generator and looks at nothing but the shape.
        frame = torch.empty(1, 1, 1).expand(3, *results['img'].shape[:2])
        top, left, rows, columns = Torchvision.get_params(frame, list(self.scale), list(self.ratio))
        box = np.array([left, top, left + columns - 1, top + rows - 1])
        for key, method in [('img', 'bilinear')] + [
            (field, 'nearest') for field in results.get('seg_fields', [])
        ]:
            piece = mmcv.imcrop(results[key], box)
            results[key] = mmcv.imresize(piece, (width, height), interpolation=method)
        results['img_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(scale={self.scale}, ratio={self.ratio}, size={self.size})'
