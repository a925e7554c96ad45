"""How far labeled objects, and what nothing covers, contradict the predictions.

The model's errors are not the labels' errors: what is computed here is an order in which to look.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mmseg_custom.utils.likeliest import likeliest

SMALLEST = 1e-12
# Of the square root of an object's area: how far around it its outline is judged.
RING = 0.25
# Of the photo's longer side: what the model finds this near to a label is a matter of its outline.
MARGIN = 0.04
# Of the photo's pixels: a missing object of this size counts half as much as a large one.
HALF_SIZE = 0.002


@dataclass(frozen=True)
class ObjectQuality:
    """What speaks against one labeled object.

    Attributes:
        place: Of the object in the photo's annotations, in painting order.
        label: Its class.
        means: ``(C,)`` mean probabilities in its pixels, from which :func:`swapped_scores` follow.
        outline: 0..1: how many pixels in the object and close around it the model is sure to see on
            the other side of the outline, as a fraction of the object's area; less where the model
            sees nothing in the object, or objects everywhere around it.
    """

    place: int
    label: int
    means: np.ndarray
    outline: float


@dataclass(frozen=True)
class MissingObject:
    """An object that the model sees where nothing is labeled.

    Attributes:
        score: 0..1: how sure the model is that it is no background, less for small ones.
        suggested: The class that the model sees.
        mask: ``(H, W)`` uint8, 1 where it is.
    """

    score: float
    suggested: int
    mask: np.ndarray


def judge_objects(
    places: np.ndarray,
    labels: list[int],
    probabilities: np.ndarray,
    background: int | None,
) -> list[ObjectQuality]:
    """Judge each object of a photo that can be seen.

    Args:
        places: ``(H, W)`` unsigned: the number of the topmost object in each pixel, from 1 on; 0:
            none.
        labels: Class of each object.
        probabilities: ``(C, H, W)`` float, out of fold.
        background: Label of the background, or None.
    """
    foreground = _foreground(probabilities, background)
    found = []
    for place, label in enumerate(labels):
        own = places == place + 1
        if not own.any() or label >= len(probabilities):
            continue
        outline = _outline(own, (places > 0) & ~own, foreground)
        means = probabilities[:, own].mean(axis=1)
        found.append(ObjectQuality(place, label, means, outline))
    return found


def swapped_scores(
    means: np.ndarray, labels: np.ndarray, background: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Compare the labels of all objects of a set with what the model sees in them.

    A class's part of the foreground probability in an object is divided by its mean part in the
    objects labeled so, which makes up for classes that the model is less sure of. This is the
    class threshold of confident learning (Northcutt et al., JAIR 2021), for objects.

    Args:
        means: ``(N, C)`` of :class:`ObjectQuality`.
        labels: ``(N,)`` int.
        background: Label of the background, or None.

    Returns:
        tuple[np.ndarray, np.ndarray]: ``(N,)`` in 0..1: how unlikely the label is; above 0.5,
        the other classes together are likelier; ``(N,)`` the likeliest of the others.
    """
    parts = means.astype(np.float64)
    if background is not None:
        parts[:, background] = 0
    parts /= np.maximum(parts.sum(axis=1, keepdims=True), SMALLEST)
    places = np.arange(len(parts))
    own = parts[places, labels]
    typical = np.full(parts.shape[1], own.mean() if len(own) else 1.0)
    for label in np.unique(labels):
        typical[label] = own[labels == label].mean()
    parts /= np.maximum(typical, SMALLEST)
    parts /= np.maximum(parts.sum(axis=1, keepdims=True), SMALLEST)
    scores = 1 - parts[places, labels]
    parts[places, labels] = -1
    if background is not None:
        parts[:, background] = -1
    return scores, parts.argmax(axis=1)


def _foreground(probabilities: np.ndarray, background: int | None) -> np.ndarray:
    if background is None:
        return np.ones(probabilities.shape[1:], probabilities.dtype)
    return 1 - probabilities[background]


def _outline(own: np.ndarray, others: np.ndarray, foreground: np.ndarray) -> float:
    """Sum up where the model contradicts an object's outline, weighted by how sure it is of itself.

    Two cases are no matter of the outline, and count less: the model sees nothing in the object, or
    it sees objects everywhere around it.
    """
    size = float(np.sqrt(own.sum()))
    near = _grown(own, max(1.0, RING * size)) & ~others
    beyond = _grown(own, max(2.0, 2 * RING * size)) & ~near & ~others
    contradicted = np.abs(own - foreground) * np.abs(2 * foreground - 1)
    around = float(foreground[beyond].mean()) if beyond.any() else 0.0
    inside, outside = contradicted[own].sum(), contradicted[near & ~own].sum()
    total = (inside + outside * (1 - around)) * foreground[own].mean()
    return min(1.0, float(total / own.sum()))


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    """Return what is at most so many pixels away from a mask, ``(H, W)`` bool."""
    if not mask.any():
        return mask
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return away <= radius


def missing_objects(
    mask: np.ndarray, probabilities: np.ndarray, background: int | None
) -> list[MissingObject]:
    """Return what the model takes for an object where the photo is labeled as background.

    Args:
        mask: ``(H, W)`` uint8 labels.
        probabilities: ``(C, H, W)`` float, out of fold.
        background: Label of the background; None: nothing can be missing.

    Returns:
        list[MissingObject]: The likeliest first.
    """
    if background is None:
        return []
    predicted = likeliest(probabilities)
    radius = max(1.0, MARGIN * max(mask.shape))
    free = ~_grown(mask != background, radius) & (predicted != background)
    count, parts = cv2.connectedComponents(free.astype(np.uint8), connectivity=8)
    foreground = _foreground(probabilities, background)
    found = []
    for number in range(1, count):
        own = parts == number
        area = own.sum() / own.size
        score = float(foreground[own].mean() * area / (area + HALF_SIZE))
        means = probabilities[:, own].mean(axis=1)
        means[background] = 0
        found.append(MissingObject(score, int(means.argmax()), own.astype(np.uint8)))
    return sorted(found, key=lambda one: -one.score)
