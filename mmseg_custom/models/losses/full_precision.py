"""Losses computed in float32, whatever the model is trained in."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def full_precision(logits: Tensor) -> Iterator[Tensor]:
    """Switch autocast off, and give the logits as float32, or float64 where they are that.

    Args:
        logits: Of any float type.
    """
    with torch.autocast(logits.device.type, enabled=False):
        yield logits if logits.dtype == torch.float64 else logits.float()
