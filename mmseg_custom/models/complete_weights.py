"""The weights of a model as its config describes it, whatever it is wrapped in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn
from torch.distributed.fsdp import FullStateDictConfig, FullyShardedDataParallel, StateDictType


@contextmanager
def complete_weights(model: nn.Module) -> Iterator[nn.Module]:
    """Provide a module whose ``state_dict`` holds the complete weights under their own names.

    Of a model that FSDP has split, every process has to ask for it at the same time.

    Args:
        model: A model, wrapped for several processes or for test-time augmentation, or as it is.
    """
    if isinstance(model, FullyShardedDataParallel):
        config = FullStateDictConfig(offload_to_cpu=True, rank0_only=False)
        with FullyShardedDataParallel.state_dict_type(model, StateDictType.FULL_STATE_DICT, config):
            yield model
        return
    inner: Any = model
    while is_model_wrapper(inner) or isinstance(inner, BaseTTAModel):
        inner = inner.module
    yield inner
