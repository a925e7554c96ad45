"""How much of each annotation is seen, from run lengths, without painting a mask."""

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.classes import ClassList

from .segmentation import Segmentation, segmentation_rle


def measure_annotations(
    annotations: Sequence[tuple[int, Segmentation]], height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Measure each annotation of an image, and what the ones above leave of it.

    Args:
        annotations: ``(label, segmentation)`` in painting order, the topmost last.
        height: Image height in pixels.
        width: Image width in pixels.

    Returns:
        tuple[np.ndarray, np.ndarray]: Both ``(annotations,)`` int64: the pixels of each, and those
        that nothing above covers.
    """
    areas, visible = np.zeros((2, len(annotations)), np.int64)
    covered, before = None, 0
    for place in reversed(range(len(annotations))):
        rle = segmentation_rle(annotations[place][1], height, width)
        areas[place] = mask_utils.area(rle)
        covered = mask_utils.merge([covered, rle]) if covered else rle
        now = int(mask_utils.area(covered))
        visible[place], before = now - before, now
    return areas, visible


def count_pixels(
    annotations: Sequence[tuple[int, Segmentation]],
    visible: np.ndarray,
    height: int,
    width: int,
    classes: ClassList,
) -> np.ndarray:
    """Return ``(num_classes,)`` int64 pixels of each class in an image; ignored ones are of none.

    Args:
        annotations: As for :func:`measure_annotations`.
        visible: What it returned.
        height: Image height in pixels.
        width: Image width in pixels.
        classes: What the labels mean.
    """
    counts = np.zeros(256, np.int64)
    for (label, _), pixels in zip(annotations, visible, strict=True):
        counts[label] += pixels
    counts[classes.unlabeled] += height * width - visible.sum()
    return counts[: len(classes)]
