"""What a comparison of experiments over seeds and folds comes to."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap

from mmseg_custom.evaluation.confusion import class_ious

from .trials import Trial


def summarize(trials: Sequence[Trial]) -> list[dict]:
    """Put the results of each experiment together.

    The confusion matrices of a seed's folds are added before IoUs are computed, so that every photo
    counts once and a class that is missing in a fold does not change what the mean is over.

    Args:
        trials: All of them done.

    Returns:
        list[dict]: For each experiment ``name``, ``mIoU`` (percent, one a seed), ``mean``, ``std``
        (of the sample; 0 for one seed), ``gain`` (mean difference to the first experiment, seed by
        seed), ``interval`` (see :func:`gain_interval`), ``per_class`` (percent, mean over the
        seeds, None for absent classes), ``classes``, ``seconds`` an iteration, and ``lr_factors``
        (by fold, where there are some).
    """
    names = list(dict.fromkeys(trial.name for trial in trials))
    of_name = {name: [trial for trial in trials if trial.name == name] for name in names}
    rows = [_summarize(of_name[name]) for name in names]
    first = _confusions(of_name[names[0]])
    for row in rows:
        row['gain'] = float(np.mean(np.subtract(row['mIoU'], rows[0]['mIoU'])))
        row['interval'] = gain_interval(first, _confusions(of_name[row['name']]))
    return rows


def gain_interval(first: np.ndarray, second: np.ndarray) -> list[float] | None:
    """Return the 95 % interval of the difference in mIoU, by the paired bootstrap.

    Trainings (one a fold and seed) are drawn with replacement, the same ones for both experiments,
    and their confusion matrices are added. The limits are percentiles (Efron & Tibshirani, 1993).

    Args:
        first: ``(T, C, C)`` confusion matrices of the experiment to compare with.
        second: Those of the other one, in the same order of folds and seeds.

    Returns:
        list[float] | None: Lower and upper limit in points of mIoU; None for a single training.
    """
    if len(first) < 2:
        return None

    def gain(drawn: np.ndarray) -> float:
        places = drawn.astype(int)
        old, new = (np.nanmean(class_ious(part[places].sum(axis=0))) for part in (first, second))
        return 100 * (new - old)

    drawn = bootstrap(
        (np.arange(len(first)),),
        gain,
        method='percentile',
        vectorized=False,
        n_resamples=5000,
        rng=0,
    )
    return [float(limit) for limit in drawn.confidence_interval]


def _confusions(trials: Sequence[Trial]) -> np.ndarray:
    ordered = sorted(trials, key=lambda trial: (trial.seed, trial.fold or 0))
    return np.array([(trial.result() or {})['confusion_matrix'] for trial in ordered])


def _summarize(trials: list[Trial]) -> dict:
    """Put the results of one experiment together."""
    results = [(trial.seed, trial.result() or {}) for trial in trials]
    confusions = {}
    for seed, result in results:
        confusions[seed] = confusions.get(seed, 0) + np.array(result['confusion_matrix'])
    ious = 100 * np.stack([class_ious(confusion) for confusion in confusions.values()])
    means = np.nanmean(ious, axis=1)
    seconds = [result['seconds'] for _, result in results if result['seconds'] is not None]
    per_class = [values[~np.isnan(values)] for values in ious.T]
    return dict(
        name=trials[0].name,
        mIoU=means.tolist(),
        mean=float(means.mean()),
        std=float(means.std(ddof=1)) if len(means) > 1 else 0.0,
        classes=results[0][1]['classes'],
        per_class=[float(values.mean()) if values.size else None for values in per_class],
        seconds=float(np.median(seconds)) if seconds else None,
        lr_factors={str(t.fold): t.lr_factor for t in trials if t.lr_factor is not None},
    )
