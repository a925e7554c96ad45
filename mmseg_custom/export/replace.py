"""Putting exportable parts in the place of those that are not."""

from copy import deepcopy

from mmseg.models.backbones.swin import ShiftWindowMSA
from mmseg.models.utils import Upsample
from torch import nn

from .exportable_adaptive_avg_pool import ExportableAdaptiveAvgPool
from .exportable_attention import ExportableAttention
from .exportable_shift_window_msa import ExportableShiftWindowMSA
from .exportable_upsample import ExportableUpsample


def exportable(model: nn.Module) -> nn.Module:
    """Return a copy of a model, in evaluation, that gives the same and can be traced for any size.

    Args:
        model: Stays as it is.
    """
    model = deepcopy(model).eval()
    for parent in list(model.modules()):
        for name, part in list(parent.named_children()):
            setattr(parent, name, _replacement(part))
    return model


def _replacement(part: nn.Module) -> nn.Module:
    if isinstance(part, ShiftWindowMSA):
        return ExportableShiftWindowMSA(part)
    if isinstance(part, nn.MultiheadAttention) and ExportableAttention.fits(part):
        return ExportableAttention(part)
    if isinstance(part, Upsample) and ExportableUpsample.fits(part):
        return ExportableUpsample(part)
    # Pooling to one pixel is the one that ONNX has.
    if isinstance(part, nn.AdaptiveAvgPool2d) and part.output_size not in (1, (1, 1)):
        return ExportableAdaptiveAvgPool(part)
    return part
