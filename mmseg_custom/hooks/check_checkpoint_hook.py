"""Refusing a checkpoint that belongs to another model."""

from mmengine.hooks import EMAHook, Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from mmseg.registry import HOOKS

from mmseg_custom.checkpoints.checkpoint import require_same_classes, require_same_weights
from mmseg_custom.utils import UserError

PREFIX = 'module.'


@HOOKS.register_module()
class CheckCheckpointHook(Hook):
    """Stop when a checkpoint has other weights or other classes than the model.

    MMEngine loads what fits and only warns about the rest, so that a wrong checkpoint shows as a
    bad score. Training that starts from foreign weights (``load_from`` without resuming) is free to
    take what fits.
    """

    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compare the checkpoint with ``runner.model``.

        Raises:
            UserError: Names the checkpoint, the first difference and the fix.
        """
        is_training = isinstance(runner._train_loop, BaseLoop)
        if is_training:
            _take_raw_weights(runner, checkpoint)
        path = runner._load_from or runner.work_dir
        loop = 'train_loop' if is_training else 'test_loop'
        metainfo = getattr(getattr(runner, loop).dataloader.dataset, 'metainfo', {})
        if is_training and not runner._resume:
            _report_other_classes(runner, path, checkpoint, metainfo)
            return
        require_same_classes(path, checkpoint, metainfo)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        require_same_weights(path, checkpoint, model)
        if is_training:
            done, total = checkpoint['meta']['iter'], runner.max_iters
            runner.logger.info(f'resuming {path}: iteration {done} of {total}')


def _report_other_classes(runner, path: str, checkpoint: dict, metainfo: dict) -> None:
    """Log that a training starts from weights whose labels mean something else."""
    try:
        require_same_classes(path, checkpoint, metainfo)
    except UserError as error:
        runner.logger.warning(f'{error}: the head starts from weights of other classes')


def _take_raw_weights(runner, checkpoint: dict) -> None:
    """Resume from the trained weights where the checkpoint's are an average that is given up.

    ``EMAHook`` saves the average as ``state_dict``, and what it is an average of as
    ``ema_state_dict``.
    """
    averaged = checkpoint.get('ema_state_dict')
    if averaged is None or any(isinstance(hook, EMAHook) for hook in runner.hooks):
        return
    checkpoint['state_dict'] = {
        name.removeprefix(PREFIX): value
        for name, value in averaged.items()
        if name.startswith(PREFIX)
    }
    runner.logger.info('no averaging of weights any more: resuming from the trained weights')
