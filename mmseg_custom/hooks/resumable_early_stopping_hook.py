"""Early stopping that a resumed training takes up where it was."""

import json
import operator
import re
from pathlib import Path

from mmengine.hooks import EarlyStoppingHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from .save_metrics_hook import SaveMetricsHook


@HOOKS.register_module()
class ResumableEarlyStoppingHook(EarlyStoppingHook):
    """MMEngine's ``EarlyStoppingHook``, which looks at the validations before a resume as well.

    MMEngine's begins to wait from scratch with each session, and a training that was stopped goes
    on when it is resumed. The checkpoint is written before the validation of its iteration, so
    the past comes from what :class:`SaveMetricsHook` wrote. Takes the arguments of
    ``EarlyStoppingHook``.
    """

    # MMEngine's are lambdas, with which a hook cannot be pickled.
    rule_map = {'greater': operator.gt, 'less': operator.lt}

    def before_train(self, runner: Runner) -> None:
        """Look at the validations up to the iteration that a resumed training continues from.

        Args:
            runner: The runner.
        """
        if not runner.iter:
            return
        found = list(_scores(Path(runner.work_dir, SaveMetricsHook.folder), runner.iter))
        if not found:
            runner.logger.warning(
                f'early stopping: no validation up to iteration {runner.iter} is in '
                f'{runner.work_dir}: waiting from scratch'
            )
        for metrics in found:
            super().after_val_epoch(runner, metrics)
            if runner.train_loop.stop_training:
                return

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Decide whether to stop; a validation outside of a training decides nothing.

        Args:
            runner: The runner.
            metrics: What was measured, in percent.
        """
        if runner._train_loop is not None:
            super().after_val_epoch(runner, metrics)


def _scores(folder: Path, last: int):
    """Yield the metrics of the validations up to an iteration, in their order."""
    for path in sorted(folder.glob('iter_*.json')):
        match = re.fullmatch(r'iter_(\d+)', path.stem)
        if match and int(match[1]) <= last:
            yield json.loads(path.read_text(encoding='utf-8'))['metrics']
