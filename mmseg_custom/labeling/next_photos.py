"""Choose what to label next from a pool of photos."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmseg_custom.coco.near_duplicates import group_near
from mmseg_custom.prediction.photo_sources import PhotoSource
from mmseg_custom.utils import atomic_path

from .diversity import choose_photos
from .pool import PoolPhoto
from .uncertainty import photo_scores

# Bits of 64 in which the difference hashes of near-duplicates differ at most.
NEAR = 2


@dataclass(frozen=True)
class Choice:
    """How to choose.

    Attributes:
        number: Of photos.
        measure: A key of :data:`~mmseg_custom.labeling.uncertainty.MEASURES`.
        class_aware: See :func:`~mmseg_custom.labeling.uncertainty.photo_scores`.
        diversity: See :func:`~mmseg_custom.labeling.diversity.choose_photos`.
    """

    number: int
    measure: str
    class_aware: bool
    diversity: str


@dataclass(frozen=True)
class Chosen:
    """A photo to label.

    Attributes:
        place: In the pool.
        score: What it was chosen for.
    """

    place: int
    score: float


def choose_next(
    pool: Sequence[PoolPhoto], labeled: Sequence[PoolPhoto], choice: Choice
) -> list[Chosen]:
    """Return the photos to label next, in the order of choice.

    Args:
        pool: The photos to choose from. One that looks like a labeled one, or like one that is
            chosen already, is not chosen.
        labeled: The photos that are labeled already.
        choice: How to choose.
    """
    groups = group_near(np.stack([photo.look for photo in (*pool, *labeled)]), NEAR).tolist()
    scores = photo_scores([photo.uncertainty[choice.measure] for photo in pool], choice.class_aware)
    places = choose_photos(
        scores,
        choice.number,
        groups[: len(pool)],
        choice.diversity,
        np.stack([photo.feature for photo in pool]),
        np.stack([photo.feature for photo in labeled]) if labeled else None,
        groups[len(pool) :],
    )
    return [Chosen(place, float(scores[place])) for place in places]


def write_list(path: Path, photos: Sequence[PhotoSource], chosen: Sequence[Chosen]) -> None:
    """Write ``rank``, ``file_name`` and ``score`` as CSV.

    Args:
        path: The file.
        photos: The pool.
        chosen: What was chosen of it.
    """
    with atomic_path(path) as temporary, open(temporary, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['rank', 'file_name', 'score'])
        for rank, one in enumerate(chosen, 1):
            writer.writerow([rank, photos[one.place].file_name, f'{one.score:.6g}'])
