"""The running mean and variance of batch normalization."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def keep_statistics(model: nn.Module) -> None:
    """Let all batch normalization of a model use its statistics, and not change them.

    Args:
        model: Changed in place, until its next ``train()``.
    """
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
