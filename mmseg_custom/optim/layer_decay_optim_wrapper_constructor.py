"""Smaller learning rates for the earlier layers of a backbone."""

import re

from mmengine.optim import DefaultOptimWrapperConstructor
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from mmseg_custom.utils import UserError

# stages.0.blocks.1 (Swin), layers.3 (BEiT), stages.0.1 (ConvNeXt), blocks.3 (timm), layer.3 (HF)
LAYER = re.compile(
    r'backbone\.(?:\w+\.)*?(?:stages|layers?|blocks)\.\d+(?:\.(?:blocks\.|layers\.)?\d+)?(?=\.)'
)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Layer-wise learning rate decay (Clark et al., ELECTRA, 2020; Bao et al., BEiT, 2022).

    The learning rate of the n-th layer from the end of the backbone is ``layer_decay ** n`` times
    what it would be; heads and what follows the last layer (norms) keep theirs, what precedes the
    first layer counts as one more. The layers are the numbered blocks of the backbone in the order
    of their parameters; in Swin a downsampling between two stages is one too.

    MMSegmentation's ``LearningRateDecayOptimizerConstructor`` gives the same rates for BEiT, but
    knows no Swin, and replaces the rules of ``paramwise_cfg`` by its own. Here they are kept.

    Args:
        optim_wrapper_cfg (dict): As in MMEngine.
        paramwise_cfg (dict): As in MMEngine, with ``layer_decay``, in (0, 1].

    Raises:
        UserError: ``layer_decay`` is missing or outside its range, or the backbone has no numbered
            blocks.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None):
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        self.decay = self.paramwise_cfg.get('layer_decay')
        if self.decay is None or not 0 < self.decay <= 1:
            raise UserError(f'paramwise_cfg.layer_decay is {self.decay}, not a number in (0, 1]')

    def add_params(self, params: list[dict], module: nn.Module, prefix: str = '', **kwargs) -> None:
        """Add one group for each parameter, as MMEngine does, and scale their learning rates."""
        super().add_params(params, module, prefix=prefix, **kwargs)
        # MMEngine calls this method for every module inside the model, too.
        if prefix:
            return
        exponents = layers_from_the_end([name for name, _ in module.named_parameters()])
        name_of = {id(param): name for name, param in module.named_parameters()}
        for group in params:
            (param,) = group['params']
            scale = self.decay ** exponents[name_of[id(param)]]
            group['lr'] = group.get('lr', self.base_lr) * scale


def layers_from_the_end(names: list[str]) -> dict[str, int]:
    """Number the layers of a backbone from its end.

    Args:
        names: A model's parameters in their order; those of the backbone begin with ``backbone.``.

    Returns:
        dict: Of each name: 1 for the last layer, n for the first of n, n + 1 before it, 0 after the
        last layer and outside the backbone.

    Raises:
        UserError: No name tells a layer.
    """
    found = {name: match.group() for name in names if (match := LAYER.match(name))}
    layers = list(dict.fromkeys(found.values()))
    if not layers:
        raise UserError(
            'layer_decay: the backbone has no numbered blocks (stages.0.blocks.1, layers.3): '
            'take another backbone, or paramwise_cfg.custom_keys with lr_mult'
        )
    place = {layer: len(layers) - i for i, layer in enumerate(layers)}
    exponents, reached = {}, len(layers) + 1
    for name in names:
        if name in found:
            reached = exponents[name] = place[found[name]]
        else:
            # Between two layers: part of the one before.
            exponents[name] = reached if name.startswith('backbone.') and reached > 1 else 0
    return exponents
