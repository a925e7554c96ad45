"""The photos on the page of ``data_prep/dataset_statistics.py``."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.coco.stats.examples import object_mask
from mmseg_custom.coco.stats.label_facts import LabelFacts
from mmseg_custom.visualization.thumbnails import object_thumbnail, thumbnail

SIDE = 176


@dataclass(frozen=True)
class StatisticsPictures:
    """Thumbnails, ``(H, W, 3)`` uint8 RGB, in the order of the statistics' entries.

    Attributes:
        darkest: Of ``photos.darkest``.
        brightest: Of ``photos.brightest``.
        examples: Of ``examples``, a list a class.
    """

    darkest: list[np.ndarray]
    brightest: list[np.ndarray]
    examples: list[list[np.ndarray]]


def load_pictures(
    samples: Sequence[dict],
    facts: LabelFacts,
    classes: ClassList,
    darkest: Sequence[int],
    brightest: Sequence[int],
    examples: Sequence[Sequence[int]],
) -> StatisticsPictures:
    """Read the photos to be shown.

    Args:
        samples: The samples of the set.
        facts: Of its labels.
        classes: What the labels mean.
        darkest: Places in ``samples``.
        brightest: Places in ``samples``.
        examples: For each class, places in the facts' list of objects.

    Raises:
        UserError: A photo cannot be read or has another size than stated.
    """

    def example(label: int, number: int) -> np.ndarray:
        photo = _photo(samples[facts.rows[number]])
        mask = object_mask(samples, facts, number)
        return object_thumbnail(photo, mask, classes.colors[label], SIDE)

    return StatisticsPictures(
        [thumbnail(_photo(samples[place]), SIDE) for place in darkest],
        [thumbnail(_photo(samples[place]), SIDE) for place in brightest],
        [[example(label, number) for number in chosen] for label, chosen in enumerate(examples)],
    )


def _photo(sample: dict) -> np.ndarray:
    photo = read_photo(sample['img_path'], sample['height'], sample['width'])
    return cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)
