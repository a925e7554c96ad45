"""Train in bfloat16 on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """Run the forward pass under bfloat16 autocast.

    MMEngine's ``AmpOptimWrapper`` refuses a CPU. bfloat16 has the range of float32, so there is no
    loss scaling. Weights, gradients and the optimizer's state stay in float32. Takes the arguments
    of ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast around the forward pass.

        Args:
            model: As for ``OptimWrapper``, which synchronizes gradients only at the last
                accumulated batch.
        """
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield
