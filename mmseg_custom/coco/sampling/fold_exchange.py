"""Making folds more alike by exchanging images between them."""

from typing import NamedTuple

import numpy as np

TRIES = 500
# The fourth power is near to the maximum, which is what is judged, and still has a slope
# everywhere. The weight of evenness is small: 50 photos, some with 5 % of all annotations, cannot
# have equal shares and equal numbers at once.
EVENNESS = 1e-4


class _Units(NamedTuple):
    """What is exchanged: images, or groups of them.

    Attributes:
        counts: ``(units, classes)`` float64 annotations.
        held: ``(units, classes)`` float64, 1 where the class occurs.
        shares: ``(classes,)`` float64 fraction of each class of all annotations.
        owed: ``(classes,)`` bool, whether every fold can have the class.
        parts: ``(units, classes + 2)`` float64: part of all holders of a class, of all
            annotations, and of all images.
        even: What each fold's parts would sum to if they were even.
    """

    counts: np.ndarray
    held: np.ndarray
    shares: np.ndarray
    owed: np.ndarray
    parts: np.ndarray
    even: float


def level(counts: np.ndarray, fold_of: np.ndarray, folds: int) -> np.ndarray:
    """Move units from the largest to the smallest fold until sizes differ by at most 1.

    Args:
        counts: ``(units, classes)`` annotations.
        fold_of: ``(units,)`` int64 fold of each unit.
        folds: Number of folds.

    Returns:
        np.ndarray: ``(units,)`` int64; units that hold common classes or none move first.
    """
    fold_of, held = fold_of.copy(), counts > 0
    rarity = (held / np.maximum(held.sum(axis=0), 1)).sum(axis=1)
    while True:
        sizes = np.bincount(fold_of, minlength=folds)
        if sizes.max() - sizes.min() <= 1:
            return fold_of
        candidates = np.flatnonzero(fold_of == sizes.argmax())
        fold_of[candidates[rarity[candidates].argmin()]] = sizes.argmin()


def exchange(
    counts: np.ndarray, sizes: np.ndarray, fold_of: np.ndarray, folds: int, seed: int
) -> np.ndarray:
    """Exchange pairs of units between folds while that makes the folds more alike.

    Each try takes the next unit of a shuffled list and looks for the best partner among all units
    of the other folds. What gets smaller is, summed over the folds: the number of classes that are
    missing though there are enough units for all folds, the fourth power of each class's deviation
    in share, and, weighted low, unevenness of holders, annotations and images.

    Args:
        counts: ``(units, classes)`` annotations.
        sizes: ``(units,)`` images.
        fold_of: ``(units,)`` int64 fold of each unit.
        folds: Number of folds.
        seed: Another seed, another order of tries.

    Returns:
        np.ndarray: ``(units,)`` int64; the number of units in each fold stays.
    """
    units, fold_of = _units(counts, sizes, folds), fold_of.copy()
    kind_of = _kinds(counts, sizes)
    rng = np.random.default_rng(seed)
    rounds = -(-TRIES // len(counts))
    order = np.concatenate([rng.permutation(len(counts)) for _ in range(rounds)])[:TRIES]
    sums, fruitless = _sums(units, fold_of, folds), 0
    others = _first_of_each(kind_of, fold_of, folds)
    for unit in order:
        partner = _best_partner(units, fold_of, sums, unit, others)
        if partner is None:
            fruitless += 1
            if fruitless >= len(counts):
                break
            continue
        _move(units, sums, unit, fold_of[unit], fold_of[partner])
        _move(units, sums, partner, fold_of[partner], fold_of[unit])
        fold_of[[unit, partner]] = fold_of[[partner, unit]]
        others, fruitless = _first_of_each(kind_of, fold_of, folds), 0
    return fold_of


def _kinds(counts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Number the units so that those that are alike in everything have one number, ``(units,)``."""
    rows = np.column_stack([counts, sizes])
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel()


def _first_of_each(kind_of: np.ndarray, fold_of: np.ndarray, folds: int) -> np.ndarray:
    """Return the first unit of each kind in each fold, ascending: no other needs to be tried."""
    first = np.full((kind_of.max() + 1) * folds, -1)
    # Of several values for one place the last one stays.
    first[(kind_of * folds + fold_of)[::-1]] = np.arange(len(kind_of))[::-1]
    return np.sort(first[first >= 0])


def _move(units: _Units, sums: list[np.ndarray], unit: int, fold: int, to: int) -> None:
    for totals, rows in zip(sums, (units.counts, units.held, units.parts), strict=True):
        totals[fold] -= rows[unit]
        totals[to] += rows[unit]


def _units(counts: np.ndarray, sizes: np.ndarray, folds: int) -> _Units:
    counts = counts[:, counts.any(axis=0)].astype(np.float64)
    held = (counts > 0).astype(np.float64)
    parts = np.column_stack([held, counts.sum(axis=1), sizes])
    return _Units(
        counts=counts,
        held=held,
        shares=counts.sum(axis=0) / max(counts.sum(), 1),
        owed=held.sum(axis=0) >= folds,
        parts=parts / np.maximum(parts.sum(axis=0), 1),
        even=1 / folds,
    )


def _sums(units: _Units, fold_of: np.ndarray, folds: int) -> list[np.ndarray]:
    """Return the sums of counts, holders and parts in each fold, each ``(folds, columns)``."""
    return [
        np.stack([rows[fold_of == fold].sum(axis=0) for fold in range(folds)])
        for rows in (units.counts, units.held, units.parts)
    ]


def _best_partner(
    units: _Units, fold_of: np.ndarray, sums: list[np.ndarray], unit: int, others: np.ndarray
) -> int | None:
    """Return the one of ``others`` whose exchange with ``unit`` gains most, or None."""
    fold = fold_of[unit]
    others = others[fold_of[others] != fold]
    gained = [rows[others] - rows[unit] for rows in (units.counts, units.held, units.parts)]
    before, of_other = _badness(units, *sums), fold_of[others]
    here = _badness(units, *(s[fold] + g for s, g in zip(sums, gained, strict=True)))
    there = _badness(units, *(s[of_other] - g for s, g in zip(sums, gained, strict=True)))
    change = here + there - before[fold] - before[of_other]
    best = int(change.argmin())
    return int(others[best]) if change[best] < -1e-12 else None


def _badness(units: _Units, counts: np.ndarray, held: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Judge folds by their sums; the last axis is summed, the others stay."""
    shares = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    missing = ((held < 0.5) & units.owed).sum(axis=-1)
    uneven = np.square(parts - units.even).sum(axis=-1)
    # Squared twice: a power of 4 takes ten times as long.
    fourth = np.square(np.square(shares - units.shares)).sum(axis=-1)
    return missing + fourth + EVENNESS * uneven
