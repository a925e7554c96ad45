"""Painting annotations into a label mask, pixel for pixel as pycocotools does, only faster."""

from collections.abc import Sequence

import cv2
import numpy as np

from .segmentation import Segmentation, decode_counts, segmentation_counts


def paint(
    annotations: Sequence[tuple[int, Segmentation]],
    height: int,
    width: int,
    dtype: type[np.unsignedinteger] = np.uint8,
) -> np.ndarray:
    """Paint annotations one over the other on Background.

    Equal to ``mask[COCO.annToMask(annotation) == 1] = label`` for each annotation in turn, but the
    runs of each RLE are painted straight into a column-major mask instead of drawing a whole mask
    an annotation.

    Args:
        annotations: ``(label, segmentation)`` in painting order, the topmost last;
            segmentations in the small form of
            :func:`~mmseg_custom.coco.segmentation.compact_segmentation`.
        height: Image height in pixels.
        width: Image width in pixels.
        dtype: Of the mask; labels may be as large as it holds.

    Returns:
        np.ndarray: ``(height, width)`` labels, 0 where nothing was painted.
    """
    strings, labels = [], []
    for label, segmentation in annotations:
        counts = segmentation_counts(segmentation, height, width)
        strings += counts
        labels += [label] * len(counts)
    columns = np.zeros(height * width, dtype)
    for label, runs in zip(labels, decode_counts(strings), strict=True):
        _paint_runs(columns, runs, label)
    return cv2.transpose(columns.reshape(width, height))


def _paint_runs(columns: np.ndarray, runs: np.ndarray, label: int) -> None:
    """Paint every second run of ``columns`` with ``label``; the rest stays."""
    start, runs = runs[0], runs[1:]
    inside = np.repeat((np.arange(runs.size) & 1) == 0, runs)
    np.copyto(columns[start : start + inside.size], label, where=inside)
