"""One pass over the labels of a set, from which its statistics are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.visible import count_pixels, measure_annotations
from mmseg_custom.utils.parallel import in_processes

GRID = 64
CHUNK = 256  # images that one process measures at a time


@dataclass(frozen=True)
class LabelFacts:
    """What the labels of a set are.

    Attributes:
        pixels: ``(images, num_classes)`` int64 pixels of each class that are seen when painted;
            ignored pixels are of no class.
        annotations: ``(images, num_classes)`` int64 annotations; 0 where a mask file labels.
        is_mask: ``(images,)`` bool, whether a mask file labels the image.
        positions: ``(num_classes, GRID, GRID)`` float64 in 0..1. All images are brought to one
            size; the fraction of each cell that a class covers, mean over the images.
        rows: ``(objects,)`` int64 image of each annotation, smaller ones later within an image.
        places: ``(objects,)`` int64 place in the image's list of annotations.
        labels: ``(objects,)`` int64 class.
        areas: ``(objects,)`` int64 measured pixels, hidden ones included.
    """

    pixels: np.ndarray
    annotations: np.ndarray
    is_mask: np.ndarray
    positions: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    labels: np.ndarray
    areas: np.ndarray


def measure_labels(samples: Sequence[dict], classes: ClassList) -> LabelFacts:
    """Measure each annotation, and where in its image each class is seen.

    Args:
        samples: Of :func:`~mmseg_custom.coco.labelled_set.labelled_samples`.
        classes: What the labels mean.

    Raises:
        UserError: A mask file is missing or cannot be used.
    """
    chunks = [samples[first : first + CHUNK] for first in range(0, len(samples), CHUNK)]
    # The sums are over the same chunks wherever they are made: no digit depends on the machine.
    parts = list(in_processes(partial(_measure_chunk, classes=classes), chunks, 'measuring labels'))
    pixels = np.concatenate([np.zeros((0, len(classes)), np.int64), *(part[0] for part in parts)])
    positions = sum((part[1] for part in parts), np.zeros((len(classes), GRID, GRID)))
    areas = [area for part in parts for area in part[2]]
    objects = _objects(samples, areas, classes.ignore_index)
    annotations = np.zeros_like(pixels)
    np.add.at(annotations, (objects['rows'], objects['labels']), 1)
    is_mask = np.array(['seg_map_path' in sample for sample in samples])
    return LabelFacts(pixels, annotations, is_mask, positions / max(len(samples), 1), **objects)


def _measure_chunk(
    samples: Sequence[dict], classes: ClassList
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return pixels of each image, the sum of the positions, and areas of the annotations."""
    pixels = np.zeros((len(samples), len(classes)), np.int64)
    positions, areas = np.zeros((len(classes), GRID, GRID)), []
    for row, sample in enumerate(samples):
        annotations, size = sample.get('annotations', ()), (sample['height'], sample['width'])
        of_sample, visible = measure_annotations(annotations, *size)
        areas.append(of_sample)
        mask = sample_mask(sample, Path(), classes)
        if 'seg_map_path' in sample:
            pixels[row] = np.bincount(mask.ravel(), minlength=256)[: len(classes)]
        else:
            pixels[row] = count_pixels(annotations, visible, *size, classes)
        for label in np.flatnonzero(pixels[row]):
            positions[label] += covered_share(mask == label)
    return pixels, positions, areas


def covered_share(inside: np.ndarray) -> np.ndarray:
    """Return which fraction of each cell of a grid over the image is covered.

    Args:
        inside: ``(H, W)`` bool.

    Returns:
        np.ndarray: ``(GRID, GRID)`` float32 in 0..1.
    """
    return cv2.resize(inside.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)


def _objects(
    samples: Sequence[dict], areas: Sequence[np.ndarray], ignored: int
) -> dict[str, np.ndarray]:
    table = [
        (row, place, label, areas[row][place])
        for row, sample in enumerate(samples)
        for place, (label, _) in enumerate(sample.get('annotations', ()))
        if label != ignored
    ]
    columns = np.array(table, np.int64).reshape(-1, 4).T
    return dict(zip(('rows', 'places', 'labels', 'areas'), columns, strict=True))
