"""Deriving the class weights of losses from the training set."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.models.losses import CrossEntropyLoss
from mmseg.registry import HOOKS
from torch import nn

from mmseg_custom.datasets.class_lists import pixel_rows
from mmseg_custom.utils import UserError


@HOOKS.register_module()
class ClassWeightHook(Hook):
    """Set the weights of losses with ``class_weight='auto'`` before a training begins.

    The pixels of the training set are counted once, identically in every process, so that nothing
    has to be sent or stored in a checkpoint. A training without such a loss is not delayed.
    """

    def before_train(self, runner: Runner) -> None:
        """Count, set and log.

        Raises:
            UserError: The training set has no labels to count, or a loss of MMSegmentation would
                fail with its class weights.
        """
        _refuse_failing(runner.model)
        waiting = [m for m in runner.model.modules() if getattr(m, 'awaits_class_weight', False)]
        if not waiting:
            return
        dataset = runner.train_dataloader.dataset
        counts = pixel_rows(dataset)
        for loss in waiting:
            loss.set_class_weight(counts)
        names = dataset.metainfo['classes']
        weights = zip(names, waiting[0].class_weight.tolist(), strict=True)
        text = ', '.join(f'{name} {weight:.3g}' for name, weight in weights)
        runner.logger.info(f'class weights ({waiting[0].weight_method}): {text}')


def _refuse_failing(model: nn.Module) -> None:
    """Refuse what would raise an IndexError in the first iteration."""
    for module in model.modules():
        if (
            isinstance(module, CrossEntropyLoss)
            and module.class_weight is not None
            and module.avg_non_ignore
            and not (module.use_sigmoid or module.use_mask)
        ):
            raise UserError(
                "MMSegmentation's CrossEntropyLoss fails with class_weight and avg_non_ignore=True "
                "together: use type='WeightedCrossEntropyLoss' with the same arguments"
            )
