"""An optimizer for the part of a model that learns."""

from mmengine.optim import DefaultOptimWrapperConstructor
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LearningParametersConstructor(DefaultOptimWrapperConstructor):
    """Leaves frozen parameters out, and puts those of equal settings into one group.

    MMEngine makes a group of each parameter. With a frozen backbone that is a hundred groups
    without a gradient, and optimizers that step over many tensors at once get one at a time. The
    steps are the same. A checkpoint is resumed with the constructor it was trained with: the groups
    have another order.

    Arguments as ``DefaultOptimWrapperConstructor``.
    """

    def add_params(self, params: list[dict], module: nn.Module, prefix: str = '', **kwargs) -> None:
        """Add MMEngine's groups, then join them."""
        super().add_params(params, module, prefix=prefix, **kwargs)
        # MMEngine calls this method for every module inside the model, too.
        if prefix:
            return
        joined: dict[tuple, dict] = {}
        for group in params:
            settings = {key: value for key, value in group.items() if key != 'params'}
            learning = [param for param in group['params'] if param.requires_grad]
            if learning:
                key = tuple(sorted(settings.items()))
                joined.setdefault(key, dict(settings, params=[]))['params'] += learning
        params[:] = joined.values()
