"""Smaller learning rates for the earlier layers of a backbone."""

from mmengine.optim import DefaultOptimWrapperConstructor
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from mmseg_custom.utils import UserError

from .layer_numbers import layers_from_the_end


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Layer-wise learning rate decay (Clark et al., ELECTRA, 2020; Bao et al., BEiT, 2022).

    The learning rate of the n-th layer from the end of the encoder is ``layer_decay ** n`` times
    what it would be. Decoders, queries, heads and what follows the last layer (norms) keep theirs;
    what precedes the first layer counts as one more. In Swin a downsampling between two stages is a
    layer too. See :func:`~mmseg_custom.optim.layer_numbers.layers_from_the_end`.

    The rates are those of MMSegmentation's ``LearningRateDecayOptimizerConstructor`` for BEiT, MAE
    and ConvNeXt (stage-wise), of timm for its ViTs, and of EoMT's authors for EoMT. The constructor
    of MMSegmentation knows no other model, and replaces the rules of ``paramwise_cfg`` by its own.
    Here they are kept.

    Args:
        optim_wrapper_cfg (dict): As in MMEngine.
        paramwise_cfg (dict): As in MMEngine, with ``layer_decay``, in (0, 1].

    Raises:
        UserError: ``layer_decay`` is missing or outside its range, or the layers of the backbone
            are not understood.
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
        exponents = layers_from_the_end(module)
        name_of = {id(param): name for name, param in module.named_parameters()}
        for group in params:
            (param,) = group['params']
            scale = self.decay ** exponents[name_of[id(param)]]
            group['lr'] = group.get('lr', self.base_lr) * scale
