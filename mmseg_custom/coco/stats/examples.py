"""A few objects of each class to look at."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.classes import ClassList, name_key
from mmseg_custom.coco.segmentation import segmentation_rle

from .label_facts import LabelFacts

# Smaller objects are shown only where a class has no other.
MIN_PIXELS = 256


def choose_examples(
    facts: LabelFacts, number: int, seed: int, classes: ClassList
) -> list[list[int]]:
    """Choose objects at random, each class for itself.

    Args:
        facts: The label facts of the set.
        number: At most so many per class.
        seed: Another seed, other objects.
        classes: The class list; the choice follows the name of a class, not its label.

    Returns:
        list[list[int]]: For each class places in the facts' list of objects, ascending. Objects of
        at least ``MIN_PIXELS`` pixels where there are any.
    """
    chosen = []
    for label, name in enumerate(classes.names):
        objects = np.flatnonzero((facts.labels == label) & (facts.areas > 0))
        large = objects[facts.areas[objects] >= MIN_PIXELS]
        objects = large if len(large) else objects
        rng = np.random.default_rng((seed, crc32(name_key(name).encode())))
        drawn = rng.choice(objects, min(number, len(objects)), replace=False)
        chosen.append(sorted(drawn.tolist()))
    return chosen


def object_mask(samples: Sequence[dict], facts: LabelFacts, number: int) -> np.ndarray:
    """Return the ``(H, W)`` uint8 mask (0 and 1) of one of the facts' objects, hidden parts too."""
    return mask_utils.decode(_object_rle(samples, facts, number))


def object_entry(samples: Sequence[dict], facts: LabelFacts, number: int) -> dict:
    """Return where one of the facts' objects is.

    Returns:
        dict: ``file_name``, and ``bbox``: left, top, width and height in pixels.
    """
    box = mask_utils.toBbox(_object_rle(samples, facts, number)).tolist()
    return dict(file_name=samples[facts.rows[number]]['file_name'], bbox=box)


def _object_rle(samples: Sequence[dict], facts: LabelFacts, number: int) -> dict:
    sample = samples[facts.rows[number]]
    segmentation = sample['annotations'][facts.places[number]][1]
    return segmentation_rle(segmentation, sample['height'], sample['width'])
