"""How sure a model has to be of a pixel: the same for all, by class, or by class balance."""

from collections.abc import Sequence

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco import labels_of_names
from mmseg_custom.utils import UserError

from .confidence import LEVELS


def fixed_thresholds(texts: Sequence[str], classes: ClassList) -> np.ndarray:
    """Read thresholds as a command line gives them.

    Args:
        texts: One number for all classes and any number of ``CLASS=NUMBER``, each 0..1.
        classes: What the labels mean.

    Returns:
        np.ndarray: ``(C,)`` uint16 least confidence times 65535, rounded.

    Raises:
        UserError: No such class, or no number in 0..1.
    """
    thresholds = np.zeros(len(classes), np.uint16)
    # What is for all comes first, wherever it stands.
    for text in sorted(texts, key=lambda text: '=' in text):
        name, _, number = text.rpartition('=')
        where = labels_of_names([name], classes) if name else slice(None)
        thresholds[where] = round(_fraction(number, f'threshold {text}') * LEVELS)
    return thresholds


def balanced_thresholds(histogram: np.ndarray, portion: float) -> np.ndarray:
    """Choose thresholds so that of each class the same portion of its pixels stays.

    Reference: class-balanced self-training, Zou et al., "Unsupervised Domain Adaptation for
    Semantic Segmentation via Class-Balanced Self-Training" (ECCV 2018).

    Args:
        histogram: ``(C, 65536)`` int64, pixels by predicted class and confidence.
        portion: Of each class's pixels, 0..1; as many more stay as are just as sure as the last.

    Returns:
        np.ndarray: ``(C,)`` uint16; 65535 for a class that was not predicted.
    """
    at_least = histogram[:, ::-1].cumsum(axis=1)[:, ::-1]
    total = at_least[:, 0]
    wanted = np.ceil(portion * total).astype(np.int64)
    # The highest confidence that enough pixels reach; cumulative counts fall along the axis.
    enough = (at_least >= wanted[:, None]).sum(axis=1) - 1
    return np.where(total > 0, enough, LEVELS).astype(np.uint16)


def confidence_histogram(
    labels: np.ndarray, confidence: np.ndarray, num_classes: int
) -> np.ndarray:
    """Count the pixels of a photo, ``(C, 65536)`` int64, by label and confidence.

    Args:
        labels: ``(H, W)`` uint8.
        confidence: ``(H, W)`` uint16.
        num_classes: Number of classes ``C``.
    """
    pairs = labels.astype(np.int64) * (LEVELS + 1) + confidence
    counts = np.bincount(pairs.ravel(), minlength=num_classes * (LEVELS + 1))
    return counts.reshape(num_classes, LEVELS + 1)


def _fraction(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UserError(f'{where}: {text!r} is not a number from 0 to 1')
    return number
