"""Choose the parts of a segmentation model that FSDP gathers one at a time."""

from mmengine.registry import FUNCTIONS
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn
from torch.distributed.fsdp.wrap import size_based_auto_wrap_policy


@FUNCTIONS.register_module()
def wrap_by_size(
    module: nn.Module, recurse: bool, nonwrapped_numel: int, min_num_params: int = 1_000_000
) -> bool:
    """Return whether FSDP shall wrap a module, or look into it: an ``auto_wrap_policy``.

    FSDP gathers a part's weights when its ``forward`` is called. Of a decode head MMSegmentation
    calls ``loss`` and ``predict``, so a head itself is never wrapped, only its layers.

    Args:
        module: A part of the model.
        recurse: Whether the question is to look into it.
        nonwrapped_numel: Weights in it that are in no part that is wrapped already.
        min_num_params: Wrap a part that has at least this many.
    """
    return size_based_auto_wrap_policy(
        module,
        recurse,
        nonwrapped_numel,
        min_num_params=min_num_params,
        exclude_wrap_modules={nn.ModuleList, nn.ModuleDict, BaseDecodeHead},
    )
