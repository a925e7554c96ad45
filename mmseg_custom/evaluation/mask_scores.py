"""mIoU and boundary IoU of label masks, without tensors or a data loader."""

import numpy as np

from .confusion import boundary_areas, confusion_matrix


class MaskScores:
    """Counts pairs of masks; gives what ``TrashIoUMetric`` gives, as fractions of 1.

    Args:
        num_classes: Number of classes.
    """

    def __init__(self, num_classes: int):
        self._confusion = np.zeros((num_classes, num_classes), np.int64)
        self._boundary = np.zeros((3, num_classes), np.int64)

    def add(self, truth: np.ndarray, prediction: np.ndarray, name: str = 'a photo') -> None:
        """Count a photo.

        Args:
            truth: ``(H, W)`` uint8 labels; 255 does not count.
            prediction: ``(H, W)`` uint8 labels.
            name: Of the photo, for the message.

        Raises:
            UserError: A label outside the classes, or masks of two sizes.
        """
        self._confusion += confusion_matrix(truth, prediction, len(self._confusion), name)
        self._boundary += boundary_areas(truth, prediction, len(self._confusion))

    def merge(self, other: 'MaskScores') -> None:
        """Add what another one has counted."""
        self._confusion += other._confusion
        self._boundary += other._boundary

    def result(self) -> dict[str, float]:
        """Return ``mIoU`` and ``mBoundaryIoU`` over the classes that occur, 0..1."""
        shared, truth, prediction = self._boundary
        return dict(
            mIoU=mean_iou(self._confusion),
            mBoundaryIoU=_mean_ratio(shared, truth + prediction - shared),
        )


def mean_iou(confusion: np.ndarray) -> float:
    """Return the mean IoU, 0..1, over the classes that occur in a ``(C, C)`` confusion matrix."""
    right = confusion.diagonal()
    return _mean_ratio(right, confusion.sum(0) + confusion.sum(1) - right)


def _mean_ratio(part: np.ndarray, whole: np.ndarray) -> float:
    occurs = whole > 0
    return float((part[occurs] / whole[occurs]).mean()) if occurs.any() else float('nan')
