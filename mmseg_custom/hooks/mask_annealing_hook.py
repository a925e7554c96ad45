"""Training a model with masked attention so that it can do without."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.utils import UserError


@HOOKS.register_module()
class MaskAnnealingHook(Hook):
    """Anneal the masked attention of EoMT (Kerssies et al., CVPR 2025).

    In each of its last ``num_blocks`` blocks a query attends to its own mask with a probability
    that falls from 1 to 0, block by block: the training has ``num_blocks + 2`` equal phases, and
    block ``i`` (from 0) is annealed in phase ``i + 1`` as ``(1 - progress) ** power``. After that
    the model needs no masks, and in a prediction none are computed. The probabilities are a buffer
    of the model (``attn_mask_probs``), so they are in its checkpoints.

    Args:
        power: Exponent of the decay.

    Raises:
        UserError: The model has no masked attention to anneal.
    """

    def __init__(self, power: float = 0.9):
        self.power = power

    def before_train(self, runner: Runner) -> None:
        """Set the probabilities of the first iteration; pretrained weights bring zeros."""
        self._set(runner, runner.iter)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Set the probabilities of the next iteration."""
        self._set(runner, runner.iter + 1)

    def _set(self, runner: Runner, iteration: int) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        probs = getattr(getattr(model.backbone, 'model', None), 'attn_mask_probs', None)
        if probs is None:
            raise UserError(
                f'MaskAnnealingHook: {type(model.backbone).__name__} has no attn_mask_probs: it is '
                'for EoMT of transformers'
            )
        phase = runner.max_iters / (len(probs) + 2)
        for block in range(len(probs)):
            progress = min(max(iteration / phase - (block + 1), 0.0), 1.0)
            probs[block] = (1 - progress) ** self.power
