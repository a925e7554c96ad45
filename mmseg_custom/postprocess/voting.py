"""One prediction of several models."""

from collections.abc import Iterable, Sequence

import numpy as np


def soft_vote(members: Iterable[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Average probabilities.

    Args:
        members: Of each model, ``(C, H, W)`` float probabilities.
        weights: One a model, not negative, not all 0.

    Returns:
        np.ndarray: ``(C, H, W)`` float32.
    """
    votes = [np.float32(w) * p for w, p in zip(weights, members, strict=True)]
    return np.asarray(sum(votes) / np.float32(sum(weights)))


def hard_vote(members: Iterable[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Let each model vote for its likeliest class, and return the fractions of the votes.

    Args:
        members: Of each model, ``(C, H, W)`` float probabilities.
        weights: One a model, not negative, not all 0.

    Returns:
        np.ndarray: ``(C, H, W)`` float32. Where classes have equally many votes, the one with the
        lowest label is the likeliest.
    """
    total: np.ndarray | float = 0.0
    for weight, member in zip(weights, members, strict=True):
        labels = np.arange(len(member))[:, None, None]
        total = total + np.float32(weight) * (labels == member.argmax(axis=0))
    return np.asarray(total / np.float32(sum(weights)), np.float32)
