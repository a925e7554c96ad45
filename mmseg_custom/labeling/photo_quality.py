"""A score of a photo: how likely its labels are to a model that was not trained on it."""

import numpy as np

TEMPERATURE = 0.1


def softmin(values: np.ndarray, temperature: float = TEMPERATURE) -> float:
    """Return a smooth minimum: the mean of ``values`` weighted by ``exp((1 - value) / T)``.

    Args:
        values: ``(N,)`` in 0..1.
        temperature: T; the smaller, the closer to the minimum.
    """
    weights = np.exp((values.min() - values.astype(np.float64)) / temperature)
    return float((values * weights).sum() / weights.sum())


def photo_quality(mask: np.ndarray, probabilities: np.ndarray, ignore_index: int) -> float:
    """Return the softmin of the probabilities that the model gives to the labels of the pixels.

    This is the score of a photo in Lad and Mueller, Estimating label quality and errors in semantic
    segmentation data via any model (ICML 2023 workshop on data-centric machine learning).

    Args:
        mask: ``(H, W)`` uint8 labels.
        probabilities: ``(C, H, W)`` float, out of fold.
        ignore_index: Pixels of this label do not count.

    Returns:
        float: 0..1, low where the labels are unlikely; 1 if no pixel counts.
    """
    counted = mask != ignore_index
    if not counted.any():
        return 1.0
    labels = np.where(counted, mask, 0)[None].astype(np.int64)
    return softmin(np.take_along_axis(probabilities, labels, axis=0)[0][counted])
