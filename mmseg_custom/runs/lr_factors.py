"""Learning rates of a comparison: each fold's is chosen on the other folds."""

from collections.abc import Mapping, Sequence
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


def choose_factors(
    trials: Sequence[Trial], folds: Sequence[int | None] | None = None
) -> dict[tuple[str, int | None], float]:
    """Choose a factor for each experiment and fold by the mIoU of all other folds together.

    Validation images of a fold have no part in the choice of its learning rate. Folds without a
    result at each factor have no part in any choice; a factor with which a training failed is not
    chosen.

    Args:
        trials: Each experiment with every factor on at least two folds.
        folds: The folds to choose for; None: those of ``trials``.

    Returns:
        dict[tuple[str, int | None], float]: By name of the experiment and fold. Of equal ones, the
        factor nearest to 1 on a logarithmic scale.

    Raises:
        UserError: A fold of an experiment has no other fold to choose by.
    """
    failed = {(trial.name, trial.lr_factor) for trial in trials if trial.result() is None}
    scores: dict[str, dict[int | None, dict[float, np.ndarray]]] = {}
    for trial in trials:
        of_fold = scores.setdefault(trial.name, {}).setdefault(trial.fold, {})
        if (trial.name, trial.lr_factor) not in failed:
            confusion = np.array((trial.result() or {})['confusion_matrix'])
            factor = trial.lr_factor or 1.0
            of_fold[factor] = of_fold.get(factor, 0) + confusion
    chosen = {}
    for name, of_folds in scores.items():
        factors = {factor for of_fold in of_folds.values() for factor in of_fold}
        complete = {fold: part for fold, part in of_folds.items() if part.keys() == factors}
        for fold in of_folds if folds is None else folds:
            others = [part for other, part in complete.items() if other != fold]
            if not factors or not others:
                raise UserError(f'{name}: no fold but {fold} has results at each learning rate')
            sums = {f: _miou(np.sum([part[f] for part in others], axis=0)) for f in factors}
            chosen[name, fold] = _best(sums)
    return chosen


def _best(scores: Mapping[float, float]) -> float:
    return max(scores, key=lambda factor: (scores[factor], -abs(np.log(factor))))


def _miou(confusion: np.ndarray) -> float:
    return float(np.nanmean(class_ious(confusion)))
