"""Whether a model is as sure as it is right: counts that are summed over photos, and their error.

Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
"""

import numpy as np

from mmseg_custom.coco import IGNORE_INDEX

BINS = 15


def confidence_counts(
    truth: np.ndarray, prediction: np.ndarray, confidence: np.ndarray, bins: int = BINS
) -> np.ndarray:
    """Sort pixels into bins of equal width by the probability of the class that was predicted.

    Sums of the result over photos are all that :func:`reliability` needs.

    Args:
        truth: ``(H, W)`` uint8 labels; pixels of ``IGNORE_INDEX`` do not count.
        prediction: ``(H, W)`` uint8 labels.
        confidence: ``(H, W)`` float in 0..1. A bin holds its upper edge, and the first one 0 too.
        bins: How many.

    Returns:
        np.ndarray: ``(3, bins)`` float64: pixels, right pixels, and the sum of the confidence.
    """
    kept = truth != IGNORE_INDEX
    sure = confidence[kept].astype(np.float64)
    place = np.clip(np.ceil(sure * bins).astype(np.intp) - 1, 0, bins - 1)
    right = (truth == prediction)[kept]
    weights = (None, right, sure)
    return np.stack([np.bincount(place, weight, bins) for weight in weights]).astype(np.float64)


def reliability(counts: np.ndarray) -> dict:
    """Compare confidence and accuracy.

    Args:
        counts: ``(3, bins)``, see :func:`confidence_counts`.

    Returns:
        dict: For each bin its ``share`` of the pixels, and ``accuracy`` and ``confidence`` (means,
        NaN in an empty bin), all ``(bins,)`` float64 in 0..1. ``ece``, the expected calibration
        error: the mean distance of the two over all pixels, NaN if there is none.
    """
    pixels, right, sure = counts
    with np.errstate(invalid='ignore'):
        share, accuracy, confidence = pixels / pixels.sum(), right / pixels, sure / pixels
    error = np.abs(right - sure).sum() / pixels.sum() if pixels.any() else np.nan
    return dict(share=share, accuracy=accuracy, confidence=confidence, ece=float(error))
