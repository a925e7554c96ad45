"""Stop at SIGTERM or Ctrl-C where the training can be continued."""

import torch
from mmengine.dist import all_reduce, barrier
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.utils.stop_signal import TrainingStopped, is_stopping, name_of_signal


@HOOKS.register_module()
class StopSignalHook(Hook):
    """Write a checkpoint at the end of the iteration in which a signal came, and stop.

    With several processes all stop after the same iteration, whichever got the signal. While a
    validation runs, it is cut off if the checkpoint before it was written, and made up for when
    the training is resumed (:class:`SaveMetricsHook`); else it is awaited.
    """

    priority = 'LOWEST'  # behind CheckpointHook

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Save, unless :class:`CheckpointHook` just did, and stop.

        Raises:
            TrainingStopped: a signal came.
        """
        if not _all_stop():
            return
        hook = _checkpoint_hook(runner)
        if not _is_saved(hook, runner.iter + 1):
            hook.interval, hook.save_begin = 1, 0
            hook.after_train_iter(runner, batch_idx)
        _stop(runner, hook, runner.iter + 1)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Cut the validation off if nothing is lost by that.

        Raises:
            TrainingStopped: a signal came.
        """
        hook = _checkpoint_hook(runner)
        if _is_saved(hook, runner.iter) and _all_stop():
            _stop(runner, hook, runner.iter)


def _all_stop() -> bool:
    """Return, in every process alike, whether a signal came to one of them."""
    stopping = torch.tensor(int(is_stopping()))
    all_reduce(stopping, 'max')
    return bool(stopping)


def _checkpoint_hook(runner: Runner) -> CheckpointHook:
    return next(hook for hook in runner.hooks if isinstance(hook, CheckpointHook))


def _is_saved(hook: CheckpointHook, iteration: int) -> bool:
    return (hook.last_ckpt or '').endswith(hook.filename_tmpl.format(iteration))


def _stop(runner: Runner, hook: CheckpointHook, iteration: int) -> None:
    # Launchers end all processes when the first is gone: the file has to be there by then.
    barrier()
    raise TrainingStopped(
        f'stopped by {name_of_signal()} after iteration {iteration} of {runner.max_iters}; '
        f'{hook.last_ckpt} is written'
    )
