"""What a comparison of experiments over seeds and folds comes to."""

from collections.abc import Sequence

import numpy as np

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
        seed), ``per_class`` (percent, mean over the seeds, None for absent classes), ``classes``
        and ``seconds`` an iteration.
    """
    names = dict.fromkeys(trial.name for trial in trials)
    rows = [_summarize([trial for trial in trials if trial.name == name]) for name in names]
    for row in rows:
        row['gain'] = float(np.mean(np.subtract(row['mIoU'], rows[0]['mIoU'])))
    return rows


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
    )
