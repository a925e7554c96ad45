"""Upsampling by a factor for an ONNX graph whose sizes are not known yet."""

import torch.nn.functional as F
from mmseg.models.utils import Upsample
from torch import Tensor, nn


class ExportableUpsample(nn.Module):
    """Does what mmseg's ``Upsample`` does.

    The original computes the new size with ``int``, which a traced graph keeps.

    Args:
        original: With a whole ``scale_factor``.
    """

    def __init__(self, original: Upsample):
        super().__init__()
        self.scale_factor = int(original.scale_factor)
        self.mode, self.align_corners = original.mode, original.align_corners

    @staticmethod
    def fits(original: Upsample) -> bool:
        """Tell whether the original enlarges by one whole factor."""
        factor = original.scale_factor
        return not original.size and isinstance(factor, float) and factor.is_integer()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``(N, C, H, W)``."""
        size = [side * self.scale_factor for side in x.shape[2:]]
        return F.interpolate(x, size, mode=self.mode, align_corners=self.align_corners)
