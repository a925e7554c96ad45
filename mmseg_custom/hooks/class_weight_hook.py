"""Deriving the class weights of losses from the training set."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.datasets.class_lists import pixel_rows


@HOOKS.register_module()
class ClassWeightHook(Hook):
    """Give losses with ``class_weight='auto'`` their weights before a training begins.

    The pixels of the training set are counted once, in every process alike, so that nothing has to
    be sent or kept in a checkpoint. A training without such a loss is not delayed.
    """

    def before_train(self, runner: Runner) -> None:
        """Count, set and log.

        Raises:
            UserError: The training set has no labels to count.
        """
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
