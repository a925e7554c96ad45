"""How bright and how rich in contrast the photos of a set are."""

import os
from collections.abc import Sequence

import numpy as np

from mmseg_custom.coco.photos import read_reduced_gray
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.thread_pool import thread_pool

BINS = 16


def measure_photos(paths: Sequence[str | os.PathLike]) -> np.ndarray:
    """Measure photos in parallel; at most a few are in memory at a time.

    Args:
        paths: The photos.

    Returns:
        np.ndarray: ``(photos, 2)`` float64 brightness and contrast: mean and standard deviation of
        the gray values (0..255) of the photo at a quarter of its size, where noise does not count.

    Raises:
        UserError: A photo cannot be read.
    """
    with thread_pool() as pool:
        measured = tqdm(pool.map(_measure, paths), total=len(paths), desc='reading', unit='photo')
        return np.array(list(measured)).reshape(-1, 2)


def _measure(path: str | os.PathLike) -> tuple[float, float]:
    gray = read_reduced_gray(path)
    return gray.mean(), gray.std()


def extreme_photos(
    paths: Sequence[str | os.PathLike], measured: np.ndarray, number: int
) -> tuple[list[int], list[int]]:
    """Find the darkest and the brightest photos; one that is listed several times counts once.

    Args:
        paths: The photos.
        measured: What :func:`measure_photos` found.
        number: At most so many of each.

    Returns:
        tuple[list[int], list[int]]: Places in ``paths``, the darkest and the brightest one first.
    """
    first = {str(path): place for place, path in reversed(list(enumerate(paths)))}
    ranked = sorted(first.values(), key=lambda place: (measured[place, 0], str(paths[place])))
    return ranked[:number], ranked[::-1][:number]


def photo_statistics(
    names: Sequence[str], measured: np.ndarray, darkest: Sequence[int], brightest: Sequence[int]
) -> dict:
    """Describe the photos of a set.

    Args:
        names: Their file names; one that is listed several times counts each time.
        measured: What :func:`measure_photos` found.
        darkest: Places in ``names``.
        brightest: Places in ``names``.

    Returns:
        dict: ``brightness`` and ``contrast``, each with ``mean``, ``edges`` and ``images`` in the
        bins; ``darkest`` and ``brightest``, lists of ``file_name`` and ``brightness``.
    """
    entries = [
        dict(file_name=name, brightness=float(brightness))
        for name, (brightness, _) in zip(names, measured, strict=True)
    ]
    return dict(
        brightness=_histogram(measured[:, 0], 256),
        # No picture of values 0..255 has a larger standard deviation than 127.5.
        contrast=_histogram(measured[:, 1], 128),
        darkest=[entries[place] for place in darkest],
        brightest=[entries[place] for place in brightest],
    )


def _histogram(values: np.ndarray, end: int) -> dict:
    images, edges = np.histogram(values, BINS, (0, end))
    return dict(mean=float(values.mean()), edges=edges.tolist(), images=images.tolist())
