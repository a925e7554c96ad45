"""Writing what each validation measured, complete."""

from pathlib import Path

import numpy as np
from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.utils import write_json


@HOOKS.register_module()
class SaveMetricsHook(Hook):
    """Write ``val/iter_000400.json`` in the work folder after each validation.

    It holds ``iter``, ``max_iters``, the median ``seconds`` of a training iteration, the
    ``metrics`` in percent, and what the metric's ``report`` says (per-class values and confusion
    matrix of :class:`TrashIoUMetric`). MMEngine's own log keeps the means only.

    A training that was stopped after a checkpoint and before the validation behind it catches up
    on that when it is resumed, for which MMEngine finds nothing to do.
    """

    folder = 'val'

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the file, in the first process only.

        Args:
            runner: The runner.
            metrics: What was measured, in percent.
        """
        if runner.rank:
            return
        report = getattr(runner.val_evaluator.metrics[0], 'report', None) or {}
        times = runner.message_hub.log_scalars.get('train/time')
        content = dict(
            iter=runner.iter,
            max_iters=runner.max_iters,
            seconds=float(np.median(times.data[0])) if times else None,
            metrics=metrics,
        )
        write_json(self._path(runner), content | report)

    def before_train_epoch(self, runner: Runner) -> None:
        """Validate now if the training is resumed where a validation was cut off.

        Args:
            runner: The runner.
        """
        interval = runner.train_loop.val_interval
        if runner.iter and runner.iter % interval == 0 and runner.iter < runner.max_iters:
            self._validate_if_missing(runner)

    def after_train(self, runner: Runner) -> None:
        """Validate now if the end of the training was not validated.

        Args:
            runner: The runner.
        """
        self._validate_if_missing(runner)

    def _validate_if_missing(self, runner: Runner) -> None:
        is_missing = [runner.val_loop is not None and not self._path(runner).exists()]
        # All processes have to do the same, also where each sees a disk of its own.
        broadcast_object_list(is_missing)
        if is_missing[0]:
            runner.val_loop.run()

    def _path(self, runner: Runner) -> Path:
        return Path(runner.work_dir, self.folder, f'iter_{runner.iter:06d}.json')
