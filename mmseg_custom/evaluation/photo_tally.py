"""Count photo by photo what a report says of a model, in constant memory."""

from dataclasses import dataclass

import numpy as np

from .calibration import BINS, confidence_counts
from .confusion import class_ious, confusion_matrix


@dataclass(frozen=True)
class PhotoScore:
    """How well one photo was segmented.

    Attributes:
        iou: Mean IoU of the classes in truth or prediction, 0..1; NaN if every pixel is ignored.
        class_ious: IoU of each of these classes by label, 0..1.
        accuracy: Fraction of the pixels that are right, 0..1; NaN if every pixel is ignored.
    """

    iou: float
    class_ious: dict[int, float]
    accuracy: float


class PhotoTally:
    """Sums over photos.

    Attributes:
        confusion: ``(C, C)`` int64 pixels, rows truth, columns prediction.
        confidence: ``(3, bins)``, see :func:`~mmseg_custom.evaluation.calibration.reliability`.

    Args:
        num_classes: Number of classes ``C``.
    """

    def __init__(self, num_classes: int):
        self.confusion = np.zeros((num_classes, num_classes), np.int64)
        self.confidence = np.zeros((3, BINS))

    def add(
        self,
        truth: np.ndarray,
        prediction: np.ndarray,
        probabilities: np.ndarray,
        name: str = 'a photo',
    ) -> PhotoScore:
        """Count a photo.

        Args:
            truth: ``(H, W)`` uint8 labels; pixels of ``IGNORE_INDEX`` do not count.
            prediction: ``(H, W)`` uint8 labels.
            probabilities: ``(C, H, W)`` float in 0..1.
            name: Of the photo, for the message.

        Raises:
            UserError: A label outside the classes, or masks of two sizes.
        """
        confusion = confusion_matrix(truth, prediction, len(self.confusion), name)
        self.confusion += confusion
        self.confidence += confidence_counts(truth, prediction, probabilities.max(axis=0))
        return score_photo(confusion)


def score_photo(confusion: np.ndarray) -> PhotoScore:
    """Return how well a photo was segmented.

    Args:
        confusion: ``(C, C)`` pixels of the photo, rows truth, columns prediction.
    """
    ious = class_ious(confusion)
    found = {int(label): float(ious[label]) for label in np.flatnonzero(~np.isnan(ious))}
    pixels = confusion.sum()
    return PhotoScore(
        iou=float(np.mean(list(found.values()))) if found else np.nan,
        class_ious=found,
        accuracy=float(confusion.trace() / pixels) if pixels else np.nan,
    )
