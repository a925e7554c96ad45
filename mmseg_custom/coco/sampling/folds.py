"""Folds for cross-validation in which every class has the fraction that it has in the full set.

Three steps, since the first alone is hardly better than plain KFold. The numbers are the largest
deviation of a class's fraction of the annotations in one of 5 folds from that in the full set,
plain KFold's divided by ours, medians of 10 seeds: for the 50 real photos, and for 3,272 synthetic
images with a long tail (tests/mmseg_custom/coco/sampling/test_folds.py draws them).

1. the contest team's labels (rarest class, number of classes, binned number of annotations), one
   column a value, split by ``MultilabelStratifiedKFold``: 1.0 and 1.7,
2. with columns "at least 1, 2, 3, … annotations of this class" as well: 1.3 and 6.0,
3. then exchanging pairs of images while that brings the shares closer (:mod:`.fold_exchange`):
   3.3 and 21.

The first step knows nothing of an image with twenty bottles. Few photos cannot have it all: for
equal shares, the 50 real photos give folds of equal numbers of photos, but of 26 to 140
annotations. The columns must be one-hot: the package turns whatever it gets into booleans, so that
columns of numbers would all mean "not 0".
"""

from collections.abc import Iterator

import numpy as np

from mmseg_custom.coco.listed_twice import repeats
from mmseg_custom.utils import UserError

from .fold_exchange import exchange, level

COUNT_BINS = 10
AT_LEAST = (1, 2, 3, 4, 6, 8, 12, 16)


def recipe_labels(counts: np.ndarray) -> np.ndarray:
    """Return the contest team's three labels of each image, one-hot.

    Args:
        counts: ``(images, classes)`` annotations.

    Returns:
        np.ndarray: ``(images, columns)`` bool: rarest class (one more value for images without
        annotations; ties go to the smaller label), number of classes, quantile bin of the number
        of annotations.
    """
    present = counts > 0
    holders = np.where(present, present.sum(axis=0), np.iinfo(np.int64).max)
    rarest = np.where(present.any(axis=1), holders.argmin(axis=1), counts.shape[1])
    totals = counts.sum(axis=1)
    inner = np.linspace(0, 1, COUNT_BINS + 1)[1:-1]
    bins = np.searchsorted(np.unique(np.quantile(totals, inner)), totals)
    return np.hstack([_one_hot(rarest), _one_hot(present.sum(axis=1)), _one_hot(bins)])


def fold_labels(counts: np.ndarray) -> np.ndarray:
    """Return the labels that are split: the baseline's and "at least so many of this class".

    Args:
        counts: ``(images, classes)`` annotations.

    Returns:
        np.ndarray: ``(images, columns)`` bool.
    """
    at_least = np.hstack([counts >= number for number in AT_LEAST])
    return np.hstack([recipe_labels(counts), at_least[:, at_least.any(axis=0)]])


def _one_hot(values: np.ndarray) -> np.ndarray:
    return values[:, None] == np.unique(values)


def stratified_folds(
    counts: np.ndarray, folds: int, seed: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """Split images into folds of alike classes.

    Args:
        counts: ``(images, classes)`` annotations.
        folds: Number of folds, at least 2.
        seed: Another seed, other folds.
        groups: ``(images,)`` group numbers from 0 on; a group stays in one fold. None: each image
            is a group of its own.

    Returns:
        np.ndarray: ``(images,)`` int64 fold of each image, 0 to ``folds - 1``, none empty. The
        numbers of groups in the folds differ by at most 1.

    Raises:
        UserError: There are fewer images or groups than folds, or fewer than 2 folds.
    """
    groups = np.arange(len(counts)) if groups is None else groups
    sizes = np.bincount(groups)
    _require_enough(folds, len(counts), len(sizes))
    units = np.zeros((len(sizes), counts.shape[1]), np.int64)
    np.add.at(units, groups, counts)
    fold_of = level(units, _split(fold_labels(units), folds, seed), folds)
    return exchange(units, sizes, fold_of, folds, seed)[groups]


def _require_enough(folds: int, images: int, groups: int) -> None:
    if folds < 2:
        raise UserError(f'{folds} fold leaves nothing to train on: take 2 folds or more')
    if folds > images:
        raise UserError(f'{folds} folds of {images} images would be empty: take fewer folds')
    if folds > groups:
        raise UserError(
            f'{folds} folds of {groups} groups of near-duplicates would be empty: take fewer '
            'folds, or a smaller hash distance'
        )


def _split(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    # Imported here: it brings scikit-learn, which a training shall not wait for.
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

    splitter = MultilabelStratifiedKFold(
        n_splits=folds, shuffle=True, random_state=seed % np.iinfo(np.uint32).max
    )
    fold_of = np.zeros(len(labels), np.int64)
    for fold, (_, val) in enumerate(splitter.split(labels, labels)):
        fold_of[val] = fold
    return fold_of


def plain_folds(images: int, folds: int, seed: int) -> np.ndarray:
    """Split as scikit-learn's ``KFold(shuffle=True)`` does, which looks at no class.

    Args:
        images: Number of images.
        folds: Number of folds.
        seed: Another seed, other folds.

    Returns:
        np.ndarray: ``(images,)`` int64 fold of each image.
    """
    fold_of = np.zeros(images, np.int64)
    order = np.random.RandomState(seed % np.iinfo(np.uint32).max).permutation(images)
    for fold, part in enumerate(np.array_split(order, folds)):
        fold_of[part] = fold
    return fold_of


def fold_shares(counts: np.ndarray, fold_of: np.ndarray, folds: int) -> np.ndarray:
    """Return each class's fraction in each fold.

    Args:
        counts: ``(images, classes)`` annotations or pixels.
        fold_of: ``(images,)`` fold of each image.
        folds: Number of folds.

    Returns:
        np.ndarray: ``(folds, classes)`` float64, rows sum to 1 (or to 0 in a fold of nothing).
    """
    sums = np.stack([counts[fold_of == fold].sum(axis=0) for fold in range(folds)])
    return sums / np.maximum(sums.sum(axis=1, keepdims=True), 1)


def max_deviation(counts: np.ndarray, fold_of: np.ndarray, folds: int) -> float:
    """Return the largest difference of a class's fraction in a fold and in the full set.

    Args:
        counts: ``(images, classes)`` annotations or pixels.
        fold_of: ``(images,)`` fold of each image.
        folds: Number of folds.
    """
    whole = counts.sum(axis=0) / max(counts.sum(), 1)
    return float(np.abs(fold_shares(counts, fold_of, folds) - whole).max())


def split_content(content: dict, fold_of: np.ndarray, folds: int) -> Iterator[tuple[dict, dict]]:
    """Yield each fold's training and validation set as COCO objects.

    Ids stay, and so does everything that is neither an image nor an annotation. A photo that is
    listed several times is so in the training sets; a validation set has it once.

    Args:
        content: A valid COCO object with annotations.
        fold_of: ``(images,)`` fold of each image, in the file's order.
        folds: Number of folds.
    """
    again = {image['id'] for image, _ in repeats(content['images'])}
    fold_of_id = {image['id']: fold for image, fold in zip(content['images'], fold_of, strict=True)}

    def part(fold: int, is_val: bool) -> dict:
        ids = {key for key, of_key in fold_of_id.items() if (of_key == fold) == is_val}
        if is_val:
            ids -= again
        images = [image for image in content['images'] if image['id'] in ids]
        annotations = [entry for entry in content['annotations'] if entry['image_id'] in ids]
        return content | dict(images=images, annotations=annotations)

    for fold in range(folds):
        yield part(fold, False), part(fold, True)
