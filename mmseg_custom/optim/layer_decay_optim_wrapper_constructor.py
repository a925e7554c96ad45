"""Smaller learning rates for the earlier layers of a backbone."""

from mmengine.optim import DefaultOptimWrapperConstructor
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from mmseg_custom.utils import UserError

from .layer_numbers import encoder_names, layers_from_the_end

TOKENS = ('cls_token', 'pos_embed')


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
        paramwise_cfg (dict): As in MMEngine, and

            - ``layer_decay``: Required, in (0, 1]; 1: all layers learn alike.
            - ``encoder_lr_mult``: Factor of the encoder's learning rates, above 0; 1 by default.
            - ``vector_decay_mult``: Factor of the weight decay of parameters with one dimension
              (biases, norms, layer scales) and of class tokens and absolute position embeddings;
              None (the default): the rules of MMEngine decide.

    The optimizer's groups say as ``is_encoder`` whether they belong to the encoder.

    Raises:
        UserError: ``layer_decay`` is missing or a value is outside its range, or the layers of the
            backbone are not understood.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None):
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        self.decay = self.paramwise_cfg.get('layer_decay')
        if self.decay is None or not 0 < self.decay <= 1:
            raise UserError(f'paramwise_cfg.layer_decay is {self.decay}, not a number in (0, 1]')
        self.encoder_factor = self.paramwise_cfg.get('encoder_lr_mult', 1.0)
        if not self.encoder_factor > 0:
            raise UserError(f'paramwise_cfg.encoder_lr_mult is {self.encoder_factor}, not above 0')
        self.vector_factor = self.paramwise_cfg.get('vector_decay_mult')

    def add_params(self, params: list[dict], module: nn.Module, prefix: str = '', **kwargs) -> None:
        """Add one group for each parameter, as MMEngine does, and scale their learning rates."""
        super().add_params(params, module, prefix=prefix, **kwargs)
        # MMEngine calls this method for every module inside the model, too.
        if prefix:
            return
        names = encoder_names(module)
        exponents = layers_from_the_end(module) if self.decay < 1 else dict.fromkeys(names, 0)
        name_of = {id(param): name for name, param in module.named_parameters()}
        for group in params:
            (param,) = group['params']
            name = name_of[id(param)]
            group['is_encoder'] = name in names
            scale = self.decay ** exponents.get(name, 0)
            scale *= self.encoder_factor if group['is_encoder'] else 1
            group['lr'] = group.get('lr', self.base_lr) * scale
            if self.vector_factor is not None and (param.ndim == 1 or name.endswith(TOKENS)):
                group['weight_decay'] = self.base_wd * self.vector_factor
