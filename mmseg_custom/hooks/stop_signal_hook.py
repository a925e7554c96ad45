"""Stop at SIGTERM, Ctrl-C or a time limit where the training can be continued."""

import os
import time

import torch
from mmengine.dist import all_reduce, barrier
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.utils.stop_signal import (
    TrainingStopped,
    is_stopping,
    name_of_signal,
    note_stop,
)

SIGNAL, TIME = 1, 2
# Of the script that starts several processes, and starts them again after a fault.
LAUNCHED_AT = 'TRASH_SEG_LAUNCHED_AT'


@HOOKS.register_module()
class StopSignalHook(Hook):
    """Write a checkpoint at the end of the iteration in which a signal came, and stop.

    With several processes all stop after the same iteration, whichever got the signal. While a
    validation runs, it is cut off if the checkpoint before it was written, and made up for when
    the training is resumed (:class:`SaveMetricsHook`); else it is awaited.

    Args:
        max_hours: Stop in the same way when so much time has passed since the start; None: never.
    """

    priority = 'LOWEST'  # behind CheckpointHook

    def __init__(self, max_hours: float | None = None):
        self.max_hours = max_hours
        self._began = float(os.environ.get(LAUNCHED_AT) or time.time())

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Save, unless :class:`CheckpointHook` just did, and stop.

        Raises:
            TrainingStopped: A signal came, or the time is over.
        """
        reason = self._reason()
        if not reason:
            return
        hook = _checkpoint_hook(runner)
        if not _is_saved(hook, runner.iter + 1):
            hook.interval, hook.save_begin = 1, 0
            hook.after_train_iter(runner, batch_idx)
        self._stop(runner, hook, runner.iter + 1, reason)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Cut the validation off if nothing is lost by that.

        Raises:
            TrainingStopped: A signal came, or the time is over.
        """
        hook = _checkpoint_hook(runner)
        if not _is_saved(hook, runner.iter):
            return
        reason = self._reason()
        if reason:
            self._stop(runner, hook, runner.iter, reason)

    def _reason(self) -> int:
        """Return, in every process alike, what asks one of them to stop; 0: nothing."""
        is_over = self.max_hours is not None and (
            time.time() - self._began >= 3600 * self.max_hours
        )
        reason = torch.tensor(TIME if is_over else SIGNAL if is_stopping() else 0)
        all_reduce(reason, 'max')
        return int(reason)

    def _stop(self, runner: Runner, hook: CheckpointHook, iteration: int, reason: int) -> None:
        # Launchers end all processes when the first is gone: the file has to be there by then.
        barrier()
        timed_out = reason == TIME
        if not timed_out:
            note_stop()
            barrier()
        why = f'after {self.max_hours:g} hours,' if timed_out else f'by {name_of_signal()}'
        raise TrainingStopped(
            f'stopped {why} after iteration {iteration} of {runner.max_iters}; '
            f'{hook.last_ckpt} is written',
            timed_out,
        )


def _checkpoint_hook(runner: Runner) -> CheckpointHook:
    return next(hook for hook in runner.hooks if isinstance(hook, CheckpointHook))


def _is_saved(hook: CheckpointHook, iteration: int) -> bool:
    return (hook.last_ckpt or '').endswith(hook.filename_tmpl.format(iteration))
