"""Count label pairs: confusion matrices and boundary regions of label masks."""

import cv2
import numpy as np

from mmseg_custom.coco import IGNORE_INDEX
from mmseg_custom.utils import UserError

BOUNDARY_DILATION_RATIO = 0.02


def confusion_matrix(
    truth: np.ndarray, prediction: np.ndarray, num_classes: int, name: str = 'a photo'
) -> np.ndarray:
    """Count how often each class was predicted for each class.

    The pair of labels is folded into one byte where it fits (up to 15 classes), which makes this
    several times faster than counting pairs of int64.

    Args:
        truth: ``(H, W)`` uint8 labels; pixels of ``IGNORE_INDEX`` do not count.
        prediction: ``(H, W)`` uint8 labels below ``num_classes``.
        num_classes: Number of classes ``C``, at most 254.
        name: Of the photo, for the message.

    Returns:
        np.ndarray: ``(C, C)`` int64 pixel counts; rows are the truth, columns the prediction.

    Raises:
        UserError: A label outside the classes, which would be counted as another pair, or masks of
            two sizes.
    """
    _require_comparable(truth, prediction, num_classes, name)
    pairs = num_classes * num_classes
    fits = pairs + num_classes <= 256
    # Ignored pixels are counted behind the last pair and cut off.
    table = np.full(256, pairs, np.uint8 if fits else np.uint32)
    table[:num_classes] = np.arange(num_classes) * num_classes
    if fits:
        counts = histogram(cv2.LUT(truth, table.astype(np.uint8, copy=False)) + prediction)
    else:
        counts = np.bincount((table[truth] + prediction).ravel(), minlength=pairs)
    return counts[:pairs].reshape(num_classes, num_classes)


def _require_comparable(
    truth: np.ndarray, prediction: np.ndarray, num_classes: int, name: str
) -> None:
    if truth.shape != prediction.shape:
        raise UserError(
            f'{name}: the prediction is {prediction.shape[1]}x{prediction.shape[0]} pixels, the '
            f'truth {truth.shape[1]}x{truth.shape[0]}'
        )
    if num_classes >= IGNORE_INDEX:
        raise UserError(f'{num_classes} classes: labels are bytes, at most {IGNORE_INDEX - 1}')
    for what, labels, end in (('prediction', prediction, 256), ('truth', truth, IGNORE_INDEX)):
        outside = np.flatnonzero(histogram(labels)[num_classes:end])
        if len(outside):
            label = num_classes + int(outside[0])
            raise UserError(
                f'{name}: the {what} has the label {label}, outside the {num_classes} classes'
            )


def class_ious(confusion: np.ndarray) -> np.ndarray:
    """Return the IoU of each class.

    Args:
        confusion: ``(C, C)`` pixels, rows truth, columns prediction.

    Returns:
        np.ndarray: ``(C,)`` float64 in 0..1, NaN where a class is in neither.
    """
    shared = confusion.diagonal().astype(np.float64)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - shared
    return np.divide(shared, union, out=np.full(len(shared), np.nan), where=union > 0)


def class_scores(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Return IoU, precision and recall of each class.

    Args:
        confusion: ``(C, C)`` pixels, rows truth, columns prediction.

    Returns:
        dict[str, np.ndarray]: ``IoU``, ``precision`` and ``recall``, each ``(C,)`` float64 in 0..1,
        NaN where it is not defined.
    """
    shared = confusion.diagonal()
    with np.errstate(invalid='ignore'):
        precision, recall = shared / confusion.sum(axis=0), shared / confusion.sum(axis=1)
    return dict(IoU=class_ious(confusion), precision=precision, recall=recall)


def histogram(values: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """Count the values of a byte image.

    OpenCV counts bytes three times faster than ``np.bincount``, but into float32, which is exact
    only up to 2**24: larger images are counted in strips.

    Args:
        values: ``(H, W)`` uint8.
        where: ``(H, W)`` bool, the pixels to count; by default all.

    Returns:
        np.ndarray: ``(256,)`` int64.
    """
    rows = max(1, 2**24 // values.shape[1])
    counts = np.zeros(256, np.int64)
    for top in range(0, values.shape[0], rows):
        strip = slice(top, top + rows)
        mask = None if where is None else where[strip].view(np.uint8)
        counts += cv2.calcHist([values[strip]], [0], mask, [256], [0, 256]).ravel().astype(np.int64)
    return counts


def boundary_mask(mask: np.ndarray, distance: int) -> np.ndarray:
    """Find the pixels within ``distance`` of another label or of the image's edge.

    For every class at once this is the ``G_d`` of Cheng et al., "Boundary IoU" (CVPR 2021): the
    class's pixels that an erosion by ``distance`` steps of a 3x3 square removes. A pixel stays when
    its complete ``(2 * distance + 1)`` square has its own label, that is, when the smallest and the
    largest label in the square are the same.

    Args:
        mask: ``(H, W)`` uint8 labels.
        distance: In pixels, at least 1.

    Returns:
        np.ndarray: ``(H, W)`` bool.
    """
    square = np.ones((2 * distance + 1,) * 2, np.uint8)
    shrunk, grown = (
        change(mask, square, borderType=cv2.BORDER_REPLICATE) for change in (cv2.erode, cv2.dilate)
    )
    inner = shrunk == grown
    inside = np.zeros_like(inner)
    rows, columns = (slice(distance, size - distance) for size in mask.shape)
    inside[rows, columns] = inner[rows, columns]
    return ~inside


def boundary_areas(truth: np.ndarray, prediction: np.ndarray, num_classes: int) -> np.ndarray:
    """Measure the boundary regions of both masks and their intersection, class by class.

    The distance is 2 % of the image diagonal, as in the paper. Pixels that the truth ignores count
    for neither, and their edge is a boundary for both.

    Args:
        truth: ``(H, W)`` uint8 labels, ``IGNORE_INDEX`` allowed.
        prediction: ``(H, W)`` uint8 labels below ``num_classes``.
        num_classes: Number of classes ``C``.

    Returns:
        np.ndarray: ``(3, C)`` int64 pixel counts: intersection, truth, prediction.
    """
    distance = max(1, round(BOUNDARY_DILATION_RATIO * float(np.hypot(*truth.shape))))
    prediction = np.where(truth == IGNORE_INDEX, np.uint8(IGNORE_INDEX), prediction)
    of_truth = boundary_mask(truth, distance)
    of_prediction = boundary_mask(prediction, distance)
    shared = of_truth & of_prediction & (truth == prediction)
    regions = ((truth, shared), (truth, of_truth), (prediction, of_prediction))
    return np.stack([histogram(mask, where)[:num_classes] for mask, where in regions])
