"""Splitting a set into folds of alike classes, against trying seeds of a stratified split."""

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

from mmseg_custom.coco import max_deviation, stratified_folds
from mmseg_custom.coco.sampling.folds import fold_labels

from .annotations import draw_counts
from .timing import Comparison, compare

IMAGES, FOLDS = 3272, 5
SEEDS = 10


def run() -> Comparison:
    """Compare making folds as alike as each can.

    Both split the same label matrix. One call of the peer is a part of ours, and so always faster;
    but whoever wants folds that are more alike than one call gives tries seeds and keeps the best,
    which is what the peer does here. The name says how alike the folds of both are.
    """
    counts = draw_counts(IMAGES)
    ours = max_deviation(counts[:, 1:], stratified_folds(counts, FOLDS, 0), FOLDS)
    peer = max_deviation(counts[:, 1:], best_of_seeds(counts), FOLDS)
    return compare(
        f'{FOLDS} folds of {IMAGES} images (class shares off by {100 * ours:.2f} points, '
        f"the peer's by {100 * peer:.2f})",
        lambda: stratified_folds(counts, FOLDS, 0),
        f"iterative-stratification's MultilabelStratifiedKFold, the best of {SEEDS} seeds",
        lambda: best_of_seeds(counts),
        1,
        goal=1.0,
    )


def best_of_seeds(counts: np.ndarray) -> np.ndarray:
    """Split with several seeds and return the folds, ``(images,)``, that are most alike."""
    labels = fold_labels(counts)
    tried = [_folds(labels, seed) for seed in range(SEEDS)]
    return min(tried, key=lambda fold_of: max_deviation(counts[:, 1:], fold_of, FOLDS))


def _folds(labels: np.ndarray, seed: int) -> np.ndarray:
    splitter = MultilabelStratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=seed)
    fold_of = np.zeros(len(labels), np.int64)
    for fold, (_, val) in enumerate(splitter.split(labels, labels)):
        fold_of[val] = fold
    return fold_of
