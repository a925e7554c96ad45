"""Adaptive average pooling for an ONNX graph whose sizes are not known yet."""

from typing import Any

import torch
from torch import Tensor, nn


class ExportableAdaptiveAvgPool(nn.Module):
    """Does what ``nn.AdaptiveAvgPool2d`` does, as two matrix products.

    ONNX has no such pooling, and the exporter can only replace it where the output's size divides
    an input size that never changes.

    Args:
        pool: With one number, or two, as ``output_size``.
    """

    def __init__(self, pool: nn.AdaptiveAvgPool2d):
        super().__init__()
        # Always numbers: what stays as it is needs no pooling.
        size: Any = pool.output_size
        self.output_size: tuple[int, int] = (size, size) if isinstance(size, int) else tuple(size)

    def forward(self, x: Tensor) -> Tensor:
        """Pool ``(N, C, H, W)`` to ``(N, C, *output_size)``."""
        rows = _means(x.shape[2], self.output_size[0], x)
        columns = _means(x.shape[3], self.output_size[1], x)
        return rows @ x @ columns.T


def _means(size: int, bins: int, like: Tensor) -> Tensor:
    """Return the matrix ``(bins, size)`` whose rows take the mean over a bin.

    As in PyTorch bin ``i`` is from ``floor(i * size / bins)`` to before ``ceil((i + 1) * size /
    bins)``; neighbours may overlap.
    """
    number = torch.arange(bins, device=like.device)[:, None]
    place = torch.arange(size, device=like.device)[None]
    start = number * size // bins
    stop = ((number + 1) * size + bins - 1) // bins
    inside = (place >= start) & (place < stop)
    return inside.to(like.dtype) / (stop - start)
