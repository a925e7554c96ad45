"""Finding photos that show the same thing, so that they stay on one side of a split."""

import os
from collections.abc import Sequence

import cv2
import numpy as np

from .photos import read_reduced_gray

BLOCK = 1024


def difference_hash(path: str | os.PathLike) -> np.ndarray:
    """Return the difference hash of a photo: where its 9x8 gray thumbnail gets brighter.

    Args:
        path: The photo.

    Returns:
        np.ndarray: ``(64,)`` bool.

    Raises:
        UserError: The photo is missing or cannot be read.
    """
    return gray_hash(read_reduced_gray(path))


def gray_hash(gray: np.ndarray) -> np.ndarray:
    """Return the difference hash of ``(H, W)`` uint8 gray values: ``(64,)`` bool."""
    small = cv2.resize(gray, (9, 8), interpolation=cv2.INTER_AREA)
    return (small[:, 1:] > small[:, :-1]).ravel()


def group_near(hashes: np.ndarray, distance: int) -> np.ndarray:
    """Put hashes that are near, directly or through others, into one group.

    Args:
        hashes: ``(photos, bits)`` bool.
        distance: Hashes that differ in at most so many bits are near.

    Returns:
        np.ndarray: ``(photos,)`` int64 group numbers from 0 on.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    signs = np.where(hashes, 1, -1).astype(np.float32)
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    for start in range(0, len(signs), BLOCK):
        # Signs that agree give 1 and signs that differ -1, so that bits - product = 2 * distance.
        products = signs[start : start + BLOCK] @ signs.T
        near = np.nonzero(products >= hashes.shape[1] - 2 * distance)
        rows.append(near[0] + start)
        columns.append(near[1])
    pairs = np.concatenate(rows), np.concatenate(columns)
    graph = coo_array((np.ones(len(pairs[0]), bool), pairs), shape=(len(signs),) * 2)
    return connected_components(graph, directed=False)[1].astype(np.int64)


def duplicate_groups(paths: Sequence[str | os.PathLike], distance: int = 2) -> np.ndarray:
    """Group photos by difference hash.

    Args:
        paths: The photos.
        distance: Hashes that differ in at most so many of their 64 bits are near.

    Returns:
        np.ndarray: ``(photos,)`` int64 group numbers from 0 on.
    """
    return group_near(np.stack([difference_hash(path) for path in paths]), distance)
