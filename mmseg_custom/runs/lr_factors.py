"""Learning rates of a comparison: each fold's is chosen on the other folds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmseg_custom.evaluation.confusion import class_ious
from mmseg_custom.utils import UserError

from .trials import Trial


def with_factors(trials: Sequence[Trial], factors: Sequence[float]) -> list[Trial]:
    """Return each trial once for each factor of its learning rate.

    Args:
        trials: See :func:`~mmseg_custom.runs.trials.plan_trials`.
        factors: Such as 1/3, 1 and 3.
    """
    return [
        replace(
            trial,
            lr_factor=factor,
            folder=trial.folder.with_name(f'{trial.folder.name}_lr_{factor:g}'),
        )
        for trial in trials
        for factor in factors
    ]


def choose_factors(trials: Sequence[Trial]) -> dict[tuple[str, int | None], float]:
    """Choose a factor for each experiment and fold by the mIoU of all other folds together.

    Validation images of a fold have no part in the choice of its learning rate.

    Args:
        trials: Each experiment with every factor on at least two folds. A factor with which a
            training of the experiment has no result is not chosen.

    Returns:
        dict[tuple[str, int | None], float]: By name of the experiment and fold. Of equal ones, the
        factor nearest to 1 on a logarithmic scale.

    Raises:
        UserError: An experiment has no factor at which all trainings have a result.
    """
    scores: dict[tuple[str, int | None, float], np.ndarray] = {}
    failed = {(trial.name, trial.lr_factor) for trial in trials if trial.result() is None}
    for trial in trials:
        if (trial.name, trial.lr_factor) in failed:
            continue
        key = trial.name, trial.fold, trial.lr_factor or 1.0
        confusion = np.array((trial.result() or {})['confusion_matrix'])
        scores[key] = scores.get(key, 0) + confusion
    chosen = {}
    for name, fold in dict.fromkeys((trial.name, trial.fold) for trial in trials):
        others: dict[float, np.ndarray] = {}
        for (other_name, other_fold, factor), confusion in scores.items():
            if other_name == name and other_fold != fold:
                others[factor] = others.get(factor, 0) + confusion
        if not others:
            raise UserError(f'{name}: trainings failed at every learning rate')
        chosen[name, fold] = max(
            others, key=lambda factor: (_miou(others[factor]), -abs(np.log(factor)))
        )
    return chosen


def _miou(confusion: np.ndarray) -> float:
    return float(np.nanmean(class_ious(confusion)))
