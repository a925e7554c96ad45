"""The likeliest classes of a photo on a CPU, without PyTorch's slow way to them."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from mmseg_custom.utils.likeliest import MOST_LABELS, likeliest


class FastArgmax(TorchFunctionMode):
    """While it is active, ``scores.argmax(dim=0, keepdim=True)`` is taken class after class.

    That is mmseg's call for each photo, of ``(C, H, W)`` scores. Where the scores of a pixel are
    not side by side in memory, PyTorch needs as long for it on a CPU as a small model needs for
    the photo; where they are, twice as long as this. The result is the same.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Replace the one call; others are as they are."""
        kwargs = kwargs or {}
        if func is Tensor.argmax and kwargs == dict(dim=0, keepdim=True):
            return likeliest_classes(*args)
        return func(*args, **kwargs)


def likeliest_classes(scores: Tensor) -> Tensor:
    """Return ``scores.argmax(dim=0, keepdim=True)``, found class after class on a CPU.

    Args:
        scores: ``(C, H, W)``.

    Returns:
        Tensor: ``(1, H, W)`` int64.
    """
    if _is_map(scores):
        # Twice as fast, copying included, where the scores of a pixel are side by side.
        planes = scores.detach().contiguous()
        return torch.from_numpy(likeliest(planes.numpy()))[None].long()
    return scores.argmax(dim=0, keepdim=True)


def _is_map(scores: Tensor) -> bool:
    """Return whether these are scores that NumPy can read."""
    return (
        scores.ndim == 3
        and len(scores) <= MOST_LABELS
        and scores.device.type == 'cpu'
        and scores.dtype in (torch.float32, torch.float64)
    )
