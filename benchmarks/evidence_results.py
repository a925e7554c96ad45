"""Raw results of a comparison: one confusion matrix a training, and what they come to."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmseg_custom.evaluation.confusion import class_ious
from mmseg_custom.hooks import SaveMetricsHook
from mmseg_custom.runs.ablation import gain_interval
from mmseg_custom.runs.lr_factors import choose_factors
from mmseg_custom.runs.trials import Trial
from mmseg_custom.utils import UserError

FOLDER = re.compile(r'fold_(\d+)_seed_(\d+)(?:_lr_([\d.]+))?')


@dataclass(frozen=True)
class Measured(Trial):
    """A finished training.

    Attributes:
        confusion: ``(C, C)`` pixel counts on the photos of its fold: truth, prediction.
    """

    confusion: list[list[int]] = field(default_factory=list)

    def result(self) -> dict | None:
        """Return what the comparison of learning rates needs."""
        return dict(confusion_matrix=self.confusion)


@dataclass(frozen=True)
class Row:
    """An experiment beside the first of its study.

    Attributes:
        name: Its name.
        trainings: How many pairs of trainings are compared.
        mean: mIoU in percent: of all folds of a seed together, mean over the seeds.
        gain: Difference to the first experiment on the same folds and seeds, in points.
        interval: 95 % interval of ``gain``, or None for a single pair.
        factors: How many folds chose each factor of the learning rate.
    """

    name: str
    trainings: int
    mean: float
    gain: float
    interval: tuple[float, float] | None
    factors: dict[float, int]


def read_trainings(out: Path) -> tuple[list[dict], list[str]]:
    """Return the finished trainings in the output folder of ablate.py, and the names of classes.

    Args:
        out: Its ``--out``.

    Returns:
        tuple: Dicts of ``arm``, ``fold``, ``seed``, ``lr_factor`` (or None) and ``confusion``.
    """
    found, classes = [], []
    for folder in sorted(out.glob('*/fold_*_seed_*')):
        match = FOLDER.fullmatch(folder.name)
        files = sorted((folder / SaveMetricsHook.folder).glob('iter_*.json'))
        if not match or not files:
            continue
        content = json.loads(files[-1].read_text(encoding='utf-8'))
        if content['iter'] != content['max_iters']:
            continue
        fold, seed, factor = match.groups()
        classes = content['classes']
        found.append(
            dict(
                arm=folder.parent.name,
                fold=int(fold),
                seed=int(seed),
                lr_factor=factor and float(factor),
                confusion=content['confusion_matrix'],
            )
        )
    return found, classes


def compare(trainings: Iterable[dict], first: str) -> list[Row]:
    """Compare the experiments of a study with one of them.

    Each fold takes the factor of the learning rate that is best on the other folds with the lowest
    seed (:func:`~mmseg_custom.runs.lr_factors.choose_factors`). Experiments for which none can be
    chosen are left out.

    Args:
        trainings: See :func:`read_trainings`.
        first: Name of the experiment to compare with.

    Returns:
        list[Row]: In the order of ``trainings``, the first experiment at the beginning.
    """
    by_arm: dict[str, list[Measured]] = {}
    for one in trainings:
        by_arm.setdefault(one['arm'], []).append(_measured(one))
    folds = {one.fold for one in by_arm[first]}
    chosen = {name: _counting(arm, folds) for name, arm in by_arm.items()}
    names = [first, *(name for name in chosen if name != first)]
    return [_row(name, chosen[name], chosen[first]) for name in names if chosen[name]]


def _measured(one: dict) -> Measured:
    return Measured(
        one['arm'],
        one['seed'],
        one['fold'],
        Path(),
        one['arm'],
        lr_factor=one['lr_factor'],
        confusion=one['confusion'],
    )


def _counting(arm: Sequence[Measured], folds: set) -> list[Measured]:
    """Return the trainings of an experiment that have the learning rate of their fold."""
    if all(one.lr_factor is None for one in arm):
        return list(arm)
    seed = min(one.seed for one in arm)
    try:
        factors = choose_factors([one for one in arm if one.seed == seed], sorted(folds))
    except UserError:
        return []
    return [one for one in arm if one.lr_factor == factors[one.name, one.fold]]


def _row(name: str, arm: Sequence[Measured], first: Sequence[Measured]) -> Row:
    own = {(one.seed, one.fold): np.array(one.confusion) for one in arm}
    base = {(one.seed, one.fold): np.array(one.confusion) for one in first}
    pairs = sorted(own.keys() & base.keys())
    ours, theirs = (np.array([part[pair] for pair in pairs]) for part in (own, base))
    seeds = [seed for seed, _ in pairs]
    gain = _mean_iou(ours, seeds) - _mean_iou(theirs, seeds)
    limits = gain_interval(theirs, ours)
    factors = {(one.fold, one.lr_factor) for one in arm if one.lr_factor is not None}
    counts: dict[float, int] = {}
    for _, factor in sorted(factors):
        counts[factor] = counts.get(factor, 0) + 1
    interval = (limits[0], limits[1]) if limits else None
    return Row(name, len(pairs), _mean_iou(ours, seeds), gain, interval, counts)


def _mean_iou(confusions: np.ndarray, seeds: Sequence[int]) -> float:
    """Return the mIoU in percent: folds of a seed are added, seeds are averaged."""
    of_seed: dict[int, np.ndarray] = {}
    for seed, confusion in zip(seeds, confusions, strict=True):
        of_seed[seed] = of_seed.get(seed, 0) + confusion
    return float(100 * np.mean([np.nanmean(class_ious(one)) for one in of_seed.values()]))
