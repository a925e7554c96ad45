"""Painting annotations into a label mask, pixel for pixel as pycocotools does, only faster."""

from collections.abc import Sequence

import cv2
import numpy as np

from .run_lengths import decode_counts
from .segmentation import Segmentation, segmentation_counts


def paint(
    annotations: Sequence[tuple[int, Segmentation]],
    height: int,
    width: int,
    fill: int,
    dtype: type[np.unsignedinteger] = np.uint8,
) -> np.ndarray:
    """Paint annotations one over the other.

    Equal to ``mask[COCO.annToMask(annotation) == 1] = label`` for each annotation in turn, but the
    runs of each RLE are painted straight into a column-major mask instead of drawing a complete
    mask per annotation.

    Args:
        annotations: ``(label, segmentation)`` in painting order, the topmost last;
            segmentations in the small form of
            :func:`~mmseg_custom.coco.segmentation.compact_segmentation`.
        height: Image height in pixels.
        width: Image width in pixels.
        fill: Label of the pixels that nothing covers, e.g. ``ClassList.unlabeled``.
        dtype: Of the mask; labels may be as large as it holds.

    Returns:
        np.ndarray: ``(height, width)`` labels.
    """
    strings, labels = [], []
    for label, segmentation in annotations:
        counts = segmentation_counts(segmentation, height, width)
        strings += counts
        labels += [label] * len(counts)
    columns = np.full(height * width, fill, dtype)
    for label, runs in zip(labels, decode_counts(strings), strict=True):
        _paint_runs(columns, runs, label)
    return cv2.transpose(columns.reshape(width, height))


def _paint_runs(columns: np.ndarray, runs: np.ndarray, label: int) -> None:
    """Paint every second run of ``columns`` with ``label``; the rest stays."""
    start, runs = runs[0], runs[1:]
    inside = np.repeat((np.arange(runs.size) & 1) == 0, runs)
    np.copyto(columns[start : start + inside.size], label, where=inside)
