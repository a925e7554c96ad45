"""Bicubic resizing with antialiasing as two matrix products."""

from typing import Any

import torch
from torch import Tensor

# Of the cubic kernel; PyTorch's value where it antialiases, as Pillow's.
A = -0.5


def resize_bicubic(x: Tensor, height: Any, width: Any) -> Tensor:
    """Do what ``F.interpolate(…, mode='bicubic', antialias=True)`` does.

    Args:
        x: ``(N, C, H, W)``.
        height: New height; a number, or a tensor while a graph is traced.
        width: As ``height``.

    Returns:
        Tensor: ``(N, C, height, width)``.
    """
    rows = _weights(x.shape[2], height, x)
    columns = _weights(x.shape[3], width, x)
    return rows @ x @ columns.T


def _weights(side: int, new: Any, like: Tensor) -> Tensor:
    """Return ``(new, side)``: how much of each old pixel is in each new one."""
    scale = side / torch.as_tensor(new).to(like)
    stretch = scale.clamp(min=1.0)
    center = (torch.arange(new, device=like.device)[:, None] + 0.5) * scale
    first = (center - 2 * stretch + 0.5).floor().clamp(min=0)
    stop = (center + 2 * stretch + 0.5).floor().clamp(max=side)
    place = torch.arange(side, device=like.device)[None]
    weights = _cubic((place - center + 0.5) / stretch)
    weights = weights * ((place >= first) & (place < stop)).to(like.dtype)
    return weights / weights.sum(1, keepdim=True)


def _cubic(x: Tensor) -> Tensor:
    """Return the cubic kernel (Keys, 1981)."""
    x = x.abs()
    near = ((A + 2) * x - (A + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * A - 4 * A
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
