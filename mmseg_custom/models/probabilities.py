"""From a model's logits to the probabilities of its classes: the one place for all commands."""

import numpy as np
import torch
from torch import Tensor


def class_probabilities(logits: Tensor, dim: int) -> Tensor:
    """Return the probabilities of the classes.

    Args:
        logits: Of any shape, with the classes along ``dim``. A single one is the logit of class 1
            of two (a binary head, ``out_channels=1``).
        dim: The dimension of the classes.

    Returns:
        Tensor: As ``logits``, with two classes in place of a single one; the sum over ``dim`` is 1.
    """
    if logits.shape[dim] > 1:
        return logits.softmax(dim)
    return torch.cat([(-logits).sigmoid(), logits.sigmoid()], dim)


def sample_probabilities(seg_logits: Tensor) -> Tensor:
    """Return the probabilities of the classes of a predicted ``SegDataSample``.

    Args:
        seg_logits: ``(C, H, W)`` of ``sample.seg_logits``. mmseg stores the sigmoid of a binary
            head there, and logits of all others.

    Returns:
        Tensor: ``(C, H, W)`` float32; two classes for a binary head.
    """
    values = seg_logits.float()
    if len(values) > 1:
        return class_probabilities(values, 0)
    return torch.cat([1 - values, values])


def are_finite(seg_logits: Tensor) -> bool:
    """Return whether the probabilities are numbers; those of finite logits are.

    Args:
        seg_logits: ``(C, H, W)`` as :func:`sample_probabilities` takes them.
    """
    if seg_logits.device.type == 'cpu':
        # NumPy looks at them ten times as fast as PyTorch.
        finite = np.isfinite(seg_logits.detach().float().numpy()).all()
    else:
        finite = torch.isfinite(seg_logits).all()
    return bool(finite or torch.isfinite(sample_probabilities(seg_logits)).all())
