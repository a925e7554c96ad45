"""TensorFlow's "same" padding as constants of a graph."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# timm's deepest features are 1/32 of the photo's sides.
DEEPEST = 32


class ExportableSameConv(nn.Module):
    """Does what timm's ``Conv2dSame`` does with sides that its stride divides; shares its weights.

    The original computes its padding from the sides.

    Args:
        original: A ``Conv2dSame``.
    """

    def __init__(self, original: Any):
        super().__init__()
        self.conv: Any = original
        sizes = zip(original.kernel_size, original.dilation, original.stride, strict=True)
        missing = [max((size - 1) * gap + 1 - step, 0) for size, gap, step in sizes]
        self.before = [side // 2 for side in missing]
        self.after = [side - side // 2 for side in missing]

    @staticmethod
    def fits(original: nn.Module, divisor: int) -> bool:
        """Return whether the part is one, and its stride divides its sides.

        Args:
            original: A part of a backbone.
            divisor: What the sides of photos are padded to a multiple of.
        """
        return type(original).__name__ == 'Conv2dSame' and divisor % DEEPEST == 0

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``(N, C, H, W)``."""
        conv = self.conv
        options = (self.before, self.after, conv.stride, conv.dilation, conv.groups)
        convolve = _PaddedConv.apply if torch.onnx.is_in_onnx_export() else _padded_conv
        return convolve(x, conv.weight, conv.bias, *options)


def _padded_conv(x, weight, bias, before, after, stride, dilation, groups) -> Tensor:
    x = F.pad(x, (before[1], after[1], before[0], after[0]))
    return F.conv2d(x, weight, bias, stride, 0, dilation, groups)


class _PaddedConv(torch.autograd.Function):
    """A convolution with other padding before than after; in ONNX one operator.

    PyTorch needs two, which onnxruntime does not join: with 8-bit integers the padding between
    them took as long as the convolution.
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        return _padded_conv(*inputs)

    @staticmethod
    def symbolic(g: Any, x, weight, bias, before, after, stride, dilation, groups) -> Any:
        inputs = [x, weight] if bias is None else [x, weight, bias]
        return g.op(
            'Conv',
            *inputs,
            pads_i=[*before, *after],
            strides_i=[*stride],
            dilations_i=[*dilation],
            group_i=groups,
        )
