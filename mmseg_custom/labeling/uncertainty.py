"""How unsure a model is of a photo, pixel by pixel and by class."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SMALLEST = 1e-12


def entropy(members: np.ndarray) -> np.ndarray:
    """Return the entropy of the mean prediction, divided by that of a uniform one.

    Args:
        members: ``(M, C, H, W)`` float probabilities of M models or views, which sum to 1 over C.

    Returns:
        np.ndarray: ``(H, W)`` in 0..1.
    """
    return _entropy(members.mean(axis=0)) / np.log(members.shape[1])


def margin(members: np.ndarray) -> np.ndarray:
    """Return 1 minus the difference between the two likeliest classes of the mean prediction.

    Args:
        members: See :func:`entropy`.

    Returns:
        np.ndarray: ``(H, W)`` in 0..1.
    """
    second, first = np.partition(members.mean(axis=0), (-2, -1), axis=0)[-2:]
    return 1 - (first - second)


def disagreement(members: np.ndarray) -> np.ndarray:
    """Return the mutual information of prediction and model, in units of the uniform entropy.

    It is the entropy of the mean prediction minus the mean entropy of the predictions: high where
    each member is sure and they contradict each other, 0 for one member (Houlsby et al., 2011:
    Bayesian active learning for classification and preference learning).

    Args:
        members: See :func:`entropy`.

    Returns:
        np.ndarray: ``(H, W)`` in 0..1.
    """
    alone = np.mean([_entropy(member) for member in members], axis=0)
    return np.maximum(_entropy(members.mean(axis=0)) - alone, 0) / np.log(members.shape[1])


MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = dict(
    entropy=entropy, margin=margin, disagreement=disagreement
)


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.maximum(probabilities, SMALLEST)
    return -(clipped * np.log(clipped)).sum(axis=0)


@dataclass(frozen=True)
class PhotoUncertainty:
    """What is kept of a photo: a few numbers a class, however large the photo is.

    Attributes:
        by_class: ``(C,)`` mean over the pixels of uncertainty times probability of the class; the
            sum over the classes is the photo's mean uncertainty.
        shares: ``(C,)`` mean probability of each class over the pixels.
    """

    by_class: np.ndarray
    shares: np.ndarray


def photo_uncertainty(members: np.ndarray, measure: str) -> PhotoUncertainty:
    """Sum up a photo.

    Args:
        members: See :func:`entropy`.
        measure: A key of :data:`MEASURES`.
    """
    unsure, mean = MEASURES[measure](members), members.mean(axis=0)
    return PhotoUncertainty((mean * unsure).mean(axis=(1, 2)), mean.mean(axis=(1, 2)))


def photo_scores(photos: list[PhotoUncertainty], class_aware: bool) -> np.ndarray:
    """Return how much there is to learn from each photo, more is better.

    Args:
        photos: What is kept of each photo of the pool.
        class_aware: Every class counts alike: what a photo says of a class is divided by how much
            of the pool the class covers. Otherwise every pixel counts alike, so that a large
            background outweighs rare classes and small objects.

    Returns:
        np.ndarray: ``(photos,)`` float.
    """
    by_class = np.stack([photo.by_class for photo in photos])
    if not class_aware:
        return by_class.sum(axis=1)
    covered = np.mean([photo.shares for photo in photos], axis=0)
    return (by_class / np.maximum(covered, SMALLEST)).mean(axis=1)
