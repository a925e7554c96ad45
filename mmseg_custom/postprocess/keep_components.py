"""Small objects that smoothing would erase."""

import cv2
import numpy as np

from mmseg_custom.utils.likeliest import likeliest


def keep_components(
    before: np.ndarray, after: np.ndarray, confidence: float, background: int | None = None
) -> int:
    """Write back the components that are gone although the model was sure of them.

    A component is a connected region (8 neighbors) of one class other than the background in the
    mask of ``before``. It is gone when no pixel in it has its class in the mask of ``after``. The
    mean probability of several models is high only where they agree.

    Args:
        before: ``(C, H, W)`` float probabilities before smoothing.
        after: ``(C, H, W)`` float, changed in place: a kept component gets what it had before.
        confidence: Least mean probability of the class over the component, 0..1.
        background: Label whose components are not kept; None: all may be.

    Returns:
        int: Number of components written back.
    """
    mask, smoothed = likeliest(before), likeliest(after)
    kept = 0
    for label in np.unique(mask[mask != smoothed]):
        if label == background:
            continue
        region = (mask == label).astype(np.uint8)
        count, numbers = cv2.connectedComponents(region, connectivity=8)
        survived = np.bincount(numbers[smoothed == label], minlength=count)
        total = np.bincount(numbers.ravel(), weights=before[label].ravel(), minlength=count)
        area = np.bincount(numbers.ravel(), minlength=count)
        gone = np.flatnonzero((survived == 0) & (total >= confidence * area))
        gone = gone[gone > 0]
        where = np.isin(numbers, gone)
        after[:, where] = before[:, where]
        kept += len(gone)
    return kept
