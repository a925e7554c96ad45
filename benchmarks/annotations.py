"""Annotation files of any size, about as the contest's are."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmseg_custom.classes import built_in
from mmseg_custom.utils import write_json

CLASSES = built_in().names

SIDE = 512
# Fraction of the photos that hold a class, and how many objects of it these hold, in label order.
HELD = (0.2, 0.38, 0.06, 0.045, 0.045, 0.14, 0.065, 0.33, 0.008, 0.016)
MEAN = (1.5, 3, 1.2, 1.6, 1.4, 2, 2.2, 2, 2, 1.6)
POINTS = 24
# ext4 allows 65,000 for a file.
MOST_LINKS = 10_000


def draw_counts(images: int, seed: int = 0) -> np.ndarray:
    """Draw how many objects of each class each photo has, ``(images, 11)`` int64, a long tail."""
    rng = np.random.default_rng(seed)
    present = rng.random((images, len(HELD))) < HELD
    counts = np.where(present, rng.geometric(1 / np.array(MEAN), present.shape), 0)
    return np.pad(counts, ((0, 0), (1, 0)))


def write_annotations(
    folder: str | os.PathLike, images: int, photos: Sequence[str | os.PathLike] = ()
) -> Path:
    """Write a valid COCO file and a file for each photo, and return the COCO file.

    Every object is a polygon of 24 points with integer coordinates.

    Args:
        folder: Where to write ``train.json`` and ``photos/``.
        images: How many.
        photos: Photos of 512x512 pixels, which get many names each; without, all are empty files.
    """
    folder = Path(folder)
    (folder / 'photos').mkdir(parents=True)
    names = [f'photos/{number:06d}.jpg' for number in range(images)]
    if photos:
        link_in_turn(photos, [folder / name for name in names])
    else:
        for name in names:
            (folder / name).touch()
    entries = [
        dict(id=number, file_name=name, height=SIDE, width=SIDE)
        for number, name in enumerate(names)
    ]
    categories = [dict(id=label, name=name) for label, name in enumerate(CLASSES) if label]
    annotations = _annotations(draw_counts(images))
    content = dict(images=entries, categories=categories, annotations=annotations)
    write_json(folder / 'train.json', content)
    return folder / 'train.json'


def link_in_turn(files: Sequence[str | os.PathLike], places: Sequence[Path]) -> None:
    """Give a few files many names: hard links, and a copy wherever a file has enough of them."""
    for number, place in enumerate(places):
        if number // len(files) % MOST_LINKS == 0:
            shutil.copyfile(files[number % len(files)], place)
        else:
            os.link(places[number - len(files)], place)


def _annotations(counts: np.ndarray) -> list[dict]:
    rng = np.random.default_rng(0)
    rows, labels = np.nonzero(counts)
    times = counts[rows, labels]
    rows, labels = np.repeat(rows, times).tolist(), np.repeat(labels, times).tolist()
    angles = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    radii = rng.uniform(4, 100, len(rows))
    centers = rng.uniform(radii[:, None], SIDE - radii[:, None], (len(rows), 2))
    outlines = (centers[:, None] + radii[:, None, None] * circle).astype(int)
    return [
        dict(
            id=number,
            image_id=row,
            category_id=label,
            segmentation=[outline],
            area=area,
            iscrowd=0,
        )
        for number, (row, label, outline, area) in enumerate(
            zip(
                rows,
                labels,
                outlines.reshape(len(rows), -1).tolist(),
                np.rint(np.pi * radii**2).tolist(),
                strict=True,
            )
        )
    ]
