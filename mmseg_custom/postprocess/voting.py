"""One prediction of several models."""

from collections.abc import Iterable, Sequence

import numpy as np

from mmseg_custom.utils.likeliest import likeliest


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

    Where classes have equally many votes, the one of the higher mean probability gets the smallest
    possible amount more: the order of the classes decides nothing.

    Args:
        members: Of each model, ``(C, H, W)`` float probabilities.
        weights: One a model, not negative, not all 0.

    Returns:
        np.ndarray: ``(C, H, W)`` float32.
    """
    members = list(members)
    labels = np.arange(len(members[0]))[:, None, None]
    total = sum(
        np.float32(weight) * (labels == likeliest(member))
        for weight, member in zip(weights, members, strict=True)
    )
    votes = np.asarray(total / np.float32(sum(weights)), np.float32)
    tied = votes == votes.max(axis=0)
    tied &= tied.sum(axis=0) > 1
    likelier = labels == likeliest(np.where(tied, soft_vote(members, weights), -1))
    return np.where(tied & likelier, np.nextafter(votes, np.float32(2)), votes)
