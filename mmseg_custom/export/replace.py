"""Replace the parts of a model that an ONNX graph of unknown sizes cannot hold."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models.backbones.swin import ShiftWindowMSA
from mmseg.models.decode_heads.knet_head import KernelUpdateHead
from mmseg.models.utils import Upsample
from torch import Tensor, nn

from .attention import ExportableAttention
from .hf_swin import exportable_hf_class
from .kernel_update import ExportableKernelUpdateHead
from .same_padding import ExportableSameConv

OTHER_REGION = -100.0


def exportable(model: nn.Module) -> nn.Module:
    """Return a copy of a model, in evaluation, that gives the same and can be traced for any size.

    Args:
        model: Stays as it is.
    """
    model = deepcopy(model).eval()
    preprocessor: Any = getattr(model, 'data_preprocessor', None)
    divisor = (getattr(preprocessor, 'test_cfg', None) or {}).get('size_divisor') or 1
    for part in model.modules():
        part.__class__ = exportable_hf_class(part) or part.__class__
    for parent in list(model.modules()):
        for name, part in list(parent.named_children()):
            setattr(parent, name, _replacement(part, divisor))
    return model


def _replacement(part: nn.Module, divisor: int) -> nn.Module:
    if ExportableSameConv.fits(part, divisor):
        return ExportableSameConv(part)
    if isinstance(part, ShiftWindowMSA):
        return ExportableShiftWindowMSA(part)
    if isinstance(part, nn.MultiheadAttention) and ExportableAttention.fits(part):
        return ExportableAttention(part)
    if isinstance(part, KernelUpdateHead) and ExportableKernelUpdateHead.fits(part):
        return ExportableKernelUpdateHead(part)
    if isinstance(part, Upsample) and ExportableUpsample.fits(part):
        return ExportableUpsample(part)
    # Pooling to one pixel is the one that ONNX has.
    if isinstance(part, nn.AdaptiveAvgPool2d) and part.output_size not in (1, (1, 1)):
        return ExportableAdaptiveAvgPool(part)
    return part


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
    bins)``; neighbors may overlap.
    """
    number = torch.arange(bins, device=like.device)[:, None]
    place = torch.arange(size, device=like.device)[None]
    start = number * size // bins
    stop = ((number + 1) * size + bins - 1) // bins
    inside = (place >= start) & (place < stop)
    return inside.to(like.dtype) / (stop - start)


class ExportableUpsample(nn.Module):
    """Does what mmseg's ``Upsample`` does.

    The original computes the new size with ``int``, which a traced graph keeps.

    Args:
        original: With an integer ``scale_factor``.
    """

    def __init__(self, original: Upsample):
        super().__init__()
        self.scale_factor = int(original.scale_factor)
        self.mode, self.align_corners = original.mode, original.align_corners

    @staticmethod
    def fits(original: Upsample) -> bool:
        """Return whether the original enlarges by one integer factor."""
        factor = original.scale_factor
        return not original.size and isinstance(factor, float) and factor.is_integer()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``(N, C, H, W)``."""
        size = [side * self.scale_factor for side in x.shape[2:]]
        return F.interpolate(x, size, mode=self.mode, align_corners=self.align_corners)


class ExportableShiftWindowMSA(nn.Module):
    """Does what mmseg's ``ShiftWindowMSA`` does; shares its weights.

    The original computes sizes with ``int`` and ``if`` and paints its mask slice by slice, which a
    traced graph keeps as they were for the example. Here all of it is arithmetic on shapes.

    Args:
        original: In evaluation: its drop path is left out.
    """

    def __init__(self, original: ShiftWindowMSA):
        super().__init__()
        self.w_msa = original.w_msa
        self.window_size, self.shift_size = original.window_size, original.shift_size

    def forward(self, query: Tensor, hw_shape: Sequence[int]) -> Tensor:
        """Attend.

        Args:
            query: ``(N, H * W, C)``.
            hw_shape: ``(H, W)``.

        Returns:
            Tensor: ``(N, H * W, C)``.
        """
        size, shift = self.window_size, self.shift_size
        (n, _, channels), (height, width) = query.shape, hw_shape
        missing = [(size - side % size) % size for side in (height, width)]
        x = F.pad(query.reshape(n, height, width, channels), (0, 0, 0, missing[1], 0, missing[0]))
        rows, columns = x.shape[1], x.shape[2]
        mask = None
        if shift:
            x = torch.roll(x, (-shift, -shift), (1, 2))
            mask = self._mask(rows, columns, x)
        x = self.w_msa(self._windows(x), mask=mask)
        x = x.reshape(n, rows // size, columns // size, size, size, channels)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(n, rows, columns, channels)
        if shift:
            x = torch.roll(x, (shift, shift), (1, 2))
        return x[:, :height, :width].reshape(n, height * width, channels)

    def _windows(self, x: Tensor) -> Tensor:
        """Cut ``(N, H, W, C)`` into ``(windows of all, pixels of a window, C)``."""
        size = self.window_size
        n, height, width, channels = x.shape
        x = x.reshape(n, height // size, size, width // size, size, channels)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, channels)

    def _mask(self, rows: int, columns: int, like: Tensor) -> Tensor:
        """Return what is added between pixels that the shift made neighbors, ``(windows, P, P)``.

        Args:
            rows: Height in pixels.
            columns: Width in pixels.
            like: Gives device and type.
        """
        regions = 3 * self._regions(rows, like)[:, None] + self._regions(columns, like)[None]
        regions = self._windows(regions[None, :, :, None])[..., 0]
        return (regions[:, None] != regions[:, :, None]).to(like.dtype) * OTHER_REGION

    def _regions(self, side: int, like: Tensor) -> Tensor:
        """Number the pixels of a side: 0, 1 in the last window, 2 where the shift came from."""
        place = torch.arange(side, device=like.device)
        last = (place >= side - self.window_size).long()
        return last + (place >= side - self.shift_size).long()
