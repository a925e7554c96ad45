"""Per-class scores of a data set, from summed pixel counts, by mmseg's own formulas."""

import logging
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.logging import print_log
from mmseg.evaluation import IoUMetric
from prettytable import PrettyTable


def class_values(confusion: np.ndarray, beta: float = 1) -> dict[str, np.ndarray]:
    """Compute all of mmseg's scores.

    Args:
        confusion: ``(C, C)`` pixels, rows truth, columns prediction.
        beta: Weight of the recall in ``Fscore``.

    Returns:
        dict[str, np.ndarray]: ``aAcc``, a scalar; ``IoU``, ``Acc``, ``Dice``, ``Fscore``,
        ``Precision`` and ``Recall``, each ``(C,)`` in 0..1, NaN where a class has none; and ``F1``,
        the ``Dice``: mmseg's ``Fscore`` of a class that was never found is NaN, which drops it from
        the mean.
    """
    intersect, truth, prediction = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    areas = (intersect, truth + prediction - intersect, prediction, truth)
    values = IoUMetric.total_area_to_metrics(
        *(torch.from_numpy(area.astype(np.float32)) for area in areas),
        ['mIoU', 'mDice', 'mFscore'],
        beta=beta,
    )
    return values | dict(F1=values['Dice'])


def means(values: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the mean of each score over the classes that have one, named ``m…``."""
    with warnings.catch_warnings():
        # Everything ignored: the mean of no class is NaN, as in mmseg.
        warnings.simplefilter('ignore', RuntimeWarning)
        return {f'm{name}': np.nanmean(value) for name, value in values.items()}


def print_table(
    values: dict[str, np.ndarray], classes: Sequence[str], is_absent: np.ndarray
) -> None:
    """Log the scores of each class, and a warning that names the classes that do not occur.

    Args:
        values: Each ``(C,)`` in 0..1, or NaN.
        classes: Their names.
        is_absent: ``(C,)`` bool: neither in the truth nor in the predictions.
    """
    table = PrettyTable()
    table.add_column('Class', list(classes), align='l')
    for name, value in values.items():
        if name != 'Acc':  # per class it is the recall
            cells = ['-' if np.isnan(v) else f'{100 * v:.2f}' for v in value]
            table.add_column(name, cells, align='r')
    print_log(f'per class results (%):\n{table.get_string()}', 'current')
    absent = [name for name, missing in zip(classes, is_absent, strict=True) if missing]
    if absent:
        print_log(
            f'absent from truth and predictions: {", ".join(absent)}. mIoU is the mean over '
            f'the other {len(classes) - len(absent)} classes, mIoU_all counts them as 0',
            'current',
            level=logging.WARNING,
        )
