"""The Resize of a test pipeline as arithmetic that a graph of unknown sizes can hold."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmseg_custom.utils import UserError

# OpenCV's fixed-point numbers: weights have 11 bits, of which 4 are dropped between the passes.
# All are whole numbers below 2 ** 24, which float32 holds. Shifting integers would take four times
# as long: ONNX has no shift of signed ones, and PyTorch's exporter writes five operators for it.
ONE = 2048
FIRST_SHIFT, HALF_SHIFT, LAST_SHIFT = 4, 8, 2
TAKEN = {'type', 'scale', 'scale_factor', 'keep_ratio', 'interpolation', 'backend'}


class PhotoResize(nn.Module):
    """Does what mmcv's ``Resize`` does with a photo, to the last bit.

    OpenCV resizes 8-bit photos with fixed-point weights, which differ from those of ONNX's
    ``Resize`` by one gray level in about every eighth pixel.

    Args:
        step: Config of the transform, with ``scale`` or ``scale_factor``, and ``keep_ratio``.

    Raises:
        UserError: The transform has options that have no form in a graph.
    """

    def __init__(self, step: Mapping[str, Any]):
        super().__init__()
        interpolation = step.get('interpolation', 'bilinear')
        unknown = sorted(step.keys() - TAKEN)
        if unknown or interpolation != 'bilinear' or step.get('backend', 'cv2') != 'cv2':
            what = unknown[0] if unknown else f'{interpolation} interpolation or another backend'
            raise UserError(f'the test pipeline resizes with {what}, which has no form in a graph')
        scale: Any = step.get('scale')
        self.scale: Any = (scale, scale) if isinstance(scale, int) else scale
        factor = step.get('scale_factor')
        self.factor = (factor, factor) if isinstance(factor, int | float) else factor
        self.keep_ratio = bool(step.get('keep_ratio', False))

    def forward(self, photo: Tensor) -> Tensor:
        """Resize ``(N, C, H, W)`` uint8 to ``(N, C, h, w)`` uint8."""
        height, width = photo.shape[2], photo.shape[3]
        new_height, new_width = self.size(height, width)
        left, right, *weights = _taps(width, new_width, clamped=True)
        columns = [weight[:, None, None, None] for weight in weights]
        above, below, *rows = _taps(height, new_height, clamped=False)
        lines = []
        for place, weight in zip((above, below), rows, strict=True):
            # Columns first: onnxruntime copies bytes one by one along the last axis.
            line = photo.index_select(2, place).permute(3, 0, 1, 2)
            pixels = [line.index_select(0, column).float() for column in (left, right)]
            mixed = pixels[0] * columns[0] + pixels[1] * columns[1]
            lines.append(_shifted_product(weight, _shifted(mixed, FIRST_SHIFT)))
        photo = _shifted(lines[0] + lines[1] + 2, LAST_SHIFT).to(torch.uint8)
        return photo.permute(1, 2, 3, 0)

    def size(self, height: Any, width: Any) -> tuple[Tensor, Tensor]:
        """Return height and width after it, as tensors of one int64.

        Args:
            height: In pixels; a number, or a tensor while a graph is traced.
            width: As ``height``.
        """
        sides = [_double(side) for side in (width, height)]
        if self.factor is not None:
            scale = [_whole(side * by) for side, by in zip(sides, self.factor, strict=True)]
        else:
            scale = [_double(side) for side in self.scale]
        if self.keep_ratio:
            longest = torch.maximum(*scale) / torch.maximum(*sides)
            shortest = torch.minimum(*scale) / torch.minimum(*sides)
            by = torch.minimum(longest, shortest)
            scale = [_whole(side * by) for side in sides]
        return scale[1].long()[0], scale[0].long()[0]


def _shifted(numbers: Tensor, bits: int) -> Tensor:
    """Return whole numbers, shifted to the right."""
    return (numbers * 2.0**-bits).floor()


def _shifted_product(weight: Tensor, pixels: Tensor) -> Tensor:
    """Return ``weight * pixels >> 16``, in steps that float32 holds."""
    high = _shifted(pixels, HALF_SHIFT)
    low = pixels - high * 2.0**HALF_SHIFT
    return _shifted(weight * high + _shifted(weight * low, HALF_SHIFT), HALF_SHIFT)


def _double(number: Any) -> Tensor:
    """Return ``(1,)`` float64; of a tensor without dimensions the exporter makes a float32."""
    return torch.ones(1, dtype=torch.float64) * torch.as_tensor(number)


def _whole(side: Tensor) -> Tensor:
    return (side + 0.5).floor()


def _taps(side: Any, new: Any, clamped: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return for each new pixel the two old ones that it mixes, and their weights of 2048.

    Args:
        side: Old number of pixels.
        new: New number of pixels.
        clamped: Whether a place outside of the photo has the weight of the edge alone, as OpenCV
            does along rows; along columns it mixes the edge with itself, which rounds otherwise.
    """
    last = torch.as_tensor(side) - 1
    # Whole numbers, (place + 1) * 2 * new: some runtimes compute in float32 what should be float64.
    places, spacing = (2 * torch.arange(new) + 1) * side + new, 2 * new
    above = torch.div(places, spacing, rounding_mode='trunc')
    part = (places - above * spacing).float() / spacing.float()
    before = above - 1
    # OpenCV rounds the place, not the part of it behind the point.
    part = (before.float() + part) - before.float()
    if clamped:
        part = torch.where((before < 0) | (before >= last), torch.zeros_like(part), part)
    first = torch.minimum(before.clamp(min=0), last)
    second = torch.minimum((before + 1).clamp(min=0), last)
    weights = [(weight * ONE).round() for weight in (1 - part, part)]
    return first, second, weights[0], weights[1]
