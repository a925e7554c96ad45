"""Choose photos that are worth labeling and do not show the same."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

# Photos among which diversity decides, for each one that is chosen.
CANDIDATES = 3
ROUNDS = 50


def k_center(
    features: np.ndarray, number: int, known: np.ndarray | None = None, first: int = 0
) -> list[int]:
    """Choose greedily the point that is farthest from all that are chosen or known.

    The largest distance of any point to its nearest chosen one is then at most twice the smallest
    possible (Gonzalez, 1985; Sener and Savarese, ICLR 2018: core-set).

    Args:
        features: ``(N, d)`` float.
        number: How many to choose; all if there are fewer.
        known: ``(K, d)`` features of what need not be chosen again, or None.
        first: Chosen first where nothing is known.

    Returns:
        list[int]: Places, in the order of choice; the lower place of two that are equally far.
    """
    if not len(features):
        return []
    if known is not None and len(known):
        nearest = np.min([_distances(features, point) for point in known], axis=0)
        chosen = [int(nearest.argmax())]
    else:
        nearest = np.full(len(features), np.inf)
        chosen = [first]
    while len(chosen) < min(number, len(features)):
        nearest = np.minimum(nearest, _distances(features, features[chosen[-1]]))
        # Points at the same place have a distance of 0, as those that are chosen have.
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
    return chosen[:number]


def cluster_centers(
    features: np.ndarray, number: int, weights: np.ndarray | None = None, seed: int = 0
) -> list[int]:
    """Choose the point nearest to the center of each cluster of a weighted k-means.

    Unlike :func:`k_center`, which takes what is far from everything, it takes what stands for many
    (Zhdanov, 2019: Diverse mini-batch active learning).

    Args:
        features: ``(N, d)`` float.
        number: How many to choose; all if there are fewer.
        weights: ``(N,)`` float, not negative: how much each point counts; None: all alike.
        seed: Of the first centers (k-means++).

    Returns:
        list[int]: Places, those of the heaviest clusters first.
    """
    if len(features) <= number:
        return list(range(len(features)))
    weights = np.ones(len(features)) if weights is None else np.asarray(weights, np.float64)
    centers = _first_centers(features, number, weights, np.random.default_rng(seed))
    cluster_of = np.full(len(features), -1)
    for _ in range(ROUNDS):
        last, cluster_of = cluster_of, cdist(features, centers).argmin(axis=1)
        if np.array_equal(last, cluster_of):
            break
        for cluster in range(number):
            own = cluster_of == cluster
            if weights[own].sum() > 0:
                centers[cluster] = np.average(features[own], axis=0, weights=weights[own])
    heaviest = np.argsort(-np.bincount(cluster_of, weights, minlength=number), kind='stable')
    away, chosen = cdist(features, centers), []
    for cluster in heaviest:
        away[chosen, cluster] = np.inf
        chosen.append(int(away[:, cluster].argmin()))
    return chosen


def _first_centers(
    features: np.ndarray, number: int, weights: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw points with probabilities of weight times squared distance (k-means++)."""
    nearest, chosen = np.ones(len(features)), []
    for _ in range(number):
        chances = weights * nearest
        if not chances.sum() > 0:
            chances = np.ones(len(features))
            chances[chosen] = 0
        chosen.append(int(rng.choice(len(features), p=chances / chances.sum())))
        away = cdist(features, features[chosen[-1:]], 'sqeuclidean')[:, 0]
        nearest = away if len(chosen) == 1 else np.minimum(nearest, away)
    return features[chosen].astype(np.float64)


def _distances(features: np.ndarray, point: np.ndarray) -> np.ndarray:
    return np.linalg.norm(features - point, axis=1)


def choose_photos(
    scores: np.ndarray,
    number: int,
    groups: Sequence[int],
    diversity: str = 'none',
    features: np.ndarray | None = None,
    known: np.ndarray | None = None,
    known_groups: Sequence[int] = (),
) -> list[int]:
    """Choose photos of high score, at most one of each group of near-duplicates.

    Args:
        scores: ``(N,)``, more is better, not negative.
        number: How many to choose; fewer where the pool does not have so many.
        groups: ``(N,)`` groups of near-duplicates.
        diversity: ``'core-set'``: among ``CANDIDATES * number`` photos of the highest scores, take
            those that :func:`k_center` chooses; ``'clusters'``: take :func:`cluster_centers`,
            weighted by the scores; ``'none'``: the highest scores.
        features: ``(N, d)``, for diversity.
        known: ``(K, d)`` features of photos that are labeled already.
        known_groups: Groups of photos that are labeled already.

    Returns:
        list[int]: Places, in the order of choice.
    """
    taken, ranked = set(known_groups), []
    for place in np.argsort(-np.asarray(scores), kind='stable').tolist():
        if groups[place] not in taken:
            taken.add(groups[place])
            ranked.append(place)
    if diversity != 'none' and features is not None:
        if diversity == 'core-set':
            ranked = ranked[: CANDIDATES * number]
            chosen = k_center(features[ranked], number, known)
        else:
            chosen = cluster_centers(features[ranked], number, scores[ranked])
        return [ranked[place] for place in chosen]
    return ranked[:number]
