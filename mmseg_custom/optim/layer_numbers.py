"""Number the layers of a backbone from its end, by its structure."""

import math
import re
from collections.abc import Iterator

from torch import nn

from mmseg_custom.models.backbones import HFModel, SMPModel
from mmseg_custom.utils import UserError

# Lists of layers in mmseg, timm and transformers; timm's features name the items: stages_0.
LISTS = frozenset(('stages', 'layers', 'layer', 'blocks', 'block'))
ITEM = re.compile(r'(stages|layers|blocks)_\d+')
# EoMT has no encoder of its own: these parts of it are a ViT.
EOMT_ENCODER = ('embeddings', 'layers', 'layernorm')
CONVNEXT_STAGE = re.compile(r'(?:^|\.)stages[._](\d+)\.(?:blocks\.|layers\.)?(\d+)\.')


def layers_from_the_end(model: nn.Module) -> dict[str, int]:
    """Number the layers of a model's encoder.

    Args:
        model: An mmseg segmentor with a ``backbone``.

    Returns:
        dict: For the name of each parameter: 1 for the last layer, n for the first of n layers,
        n + 1 before it, 0 after the last layer and outside the encoder (decoders, queries, heads).
        ConvNeXt and EoMT are numbered as their authors do.

    Raises:
        UserError: The encoder has no layers that are understood.
    """
    backbone = model.get_submodule('backbone')
    encoder = _encoder_of(backbone)
    names = [name for name, _ in encoder.named_parameters()]
    if _is_eomt(encoder):
        numbers = _eomt_numbers(names, len(list(encoder.get_submodule('layers').children())))
    elif any('convnext' in type(module).__name__.lower() for module in encoder.modules()):
        numbers = _convnext_numbers(names)
    else:
        numbers = _numbers_in_order(encoder)
    if not numbers:
        raise UserError(
            f'layer_decay: the layers of {type(backbone).__name__} are not understood: use another '
            'backbone, or paramwise_cfg.custom_keys with lr_mult'
        )
    number_of = {id(param): numbers[name] for name, param in encoder.named_parameters()}
    return {name: number_of.get(id(param), 0) for name, param in model.named_parameters()}


def encoder_names(model: nn.Module) -> set[str]:
    """Return the names of the parameters of a model's encoder, which is what is pretrained.

    Args:
        model: An mmseg segmentor with a ``backbone``.
    """
    encoder = _encoder_of(model.get_submodule('backbone'))
    parts = tuple(f'{part}.' for part in EOMT_ENCODER) if _is_eomt(encoder) else ('',)
    inside = {id(param) for name, param in encoder.named_parameters() if name.startswith(parts)}
    return {name for name, param in model.named_parameters() if id(param) in inside}


def _is_eomt(encoder: nn.Module) -> bool:
    return 'eomt' in type(encoder).__name__.lower()


def _encoder_of(backbone: nn.Module) -> nn.Module:
    """Return the encoder; backbones that are complete models also have a decoder."""
    if isinstance(backbone, SMPModel):
        return backbone.model.encoder
    if not isinstance(backbone, HFModel):
        return backbone
    base = backbone.model.base_model
    if hasattr(base, 'pixel_level_module'):  # Mask2Former, MaskFormer
        return base.pixel_level_module.encoder
    return base if base is not backbone.model else getattr(base, 'backbone', base)


def _eomt_numbers(names: list[str], count: int) -> dict[str, int]:
    """Number as EoMT (Kerssies et al., CVPR 2025): 0 for the last block, all of them decay."""
    numbers = {}
    for name in names:
        part, _, rest = name.partition('.')
        number = int(rest.partition('.')[0]) if part == 'layers' else 0
        numbers[name] = count - 1 - number if part in ('layers', 'embeddings') else 0
    return numbers


def _convnext_numbers(names: list[str]) -> dict[str, int]:
    """Number stage by stage as MMSegmentation's experiments (``decay_type='stage_wise'``).

    The number of layers is that of its layer-wise rule, in which three blocks of the third stage
    are one layer; the stem and all downsampling layers come before the first stage.
    """
    found = {name: match.groups() for name in names if (match := CONVNEXT_STAGE.search(name))}
    depth = len({block for stage, block in found.values() if stage == '2'})
    if not depth:
        return {}
    last = 3 + math.ceil(depth / 3)
    numbers = {}
    for name in names:
        if 'downsampl' in name or 'stem' in name or name.startswith('embeddings'):
            numbers[name] = last + 1
        else:
            numbers[name] = last - int(found[name][0]) if name in found else 0
    return numbers


def _numbers_in_order(encoder: nn.Module) -> dict[str, int]:
    layers = list(_layers_in(encoder))
    if not layers:
        return {}
    place = {
        id(param): len(layers) - i for i, layer in enumerate(layers) for param in layer.parameters()
    }
    numbers, reached = {}, len(layers) + 1
    for name, param in encoder.named_parameters():
        reached = place.get(id(param), reached)
        # Between two layers: part of the one before. After the last one: full rate.
        is_after = id(param) not in place and reached == 1
        numbers[name] = 0 if is_after else reached
    return numbers


def _layers_in(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers below a module, such as an encoder, in their order."""
    for name, child in module.named_children():
        if name in LISTS and _is_list(child):
            for item in child.children():
                yield from _layers_of(item)
        elif ITEM.fullmatch(name):
            yield from _layers_of(child)
        else:
            yield from _layers_in(child)


def _layers_of(item: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of a stage (blocks, downsampling), or the item itself, which is a block."""
    is_stage = any(name in LISTS and _is_list(child) for name, child in item.named_children())
    if not _is_list(item) and not is_stage:
        yield item
        return
    for child in item.children():
        if _is_list(child):
            yield from (layer for block in child.children() for layer in _layers_of(block))
        elif any(param.ndim > 1 for param in child.parameters()):
            yield child


def _is_list(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleList | nn.Sequential)
