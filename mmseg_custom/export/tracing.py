"""Replace calls that a traced graph of unknown sizes cannot hold, wherever they are made."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .antialias import resize_bicubic


class TracingMode(TorchFunctionMode):
    """While active, some functions of PyTorch do the same in a form that can be traced.

    * ``F.interpolate``, bicubic with antialiasing: TorchScript's exporter has no operator for it.
      Vision transformers fit their position embeddings to a photo with it.
    * ``torch.tensor`` and ``torch.as_tensor`` of sizes: a trace would keep those of the example.
    * ``torch.linspace``: in the exporter's form a single step is not a number.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Replace these calls."""
        kwargs = kwargs or {}
        if func is F.interpolate and kwargs.get('antialias') and kwargs.get('mode') == 'bicubic':
            return resize_bicubic(args[0], *kwargs['size'])
        if func in (torch.tensor, torch.as_tensor) and _has_tensors(args[0]):
            return _stacked(args[0]).to(kwargs.get('dtype'))
        if func is torch.linspace and isinstance(args[2], Tensor):
            return _linspace(*args, dtype=kwargs.get('dtype'))
        return func(*args, **kwargs)


def _has_tensors(data: Any) -> bool:
    if not isinstance(data, list | tuple):
        return False
    return any(isinstance(item, Tensor) or _has_tensors(item) for item in data)


def _stacked(data: Any) -> Tensor:
    """Return a nested list of numbers as one tensor."""
    if isinstance(data, list | tuple):
        return torch.stack([_stacked(item) for item in data])
    return data if isinstance(data, Tensor) else torch.tensor(data)


def _linspace(start: Any, end: Any, steps: Any, dtype: torch.dtype | None) -> Tensor:
    dtype = dtype or torch.get_default_dtype()
    step = (torch.as_tensor(end) - start).to(dtype) / (steps - 1).clamp(min=1)
    return torch.arange(steps, dtype=dtype) * step + start
