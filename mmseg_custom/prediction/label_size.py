"""Labels of a shrunk photo in the photo's own size."""

import cv2
import numpy as np


def resized_labels(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return labels, or any values by pixel, in another size: each pixel gets its nearest one's.

    Args:
        labels: ``(h, w)`` uint8 or uint16.
        size: Height and width.

    Returns:
        np.ndarray: ``(H, W)``, the same array if that is its size.
    """
    if labels.shape == tuple(size):
        return labels
    return cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
