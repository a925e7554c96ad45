"""What is left of objects in formats that are pictures of labels."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mmseg_custom.classes import IGNORE, ClassList
from mmseg_custom.coco.masks import mask_annotations
from mmseg_custom.coco.segmentation import compact_segmentation, describe_mask

from .model import LabeledObject, LabeledPhoto


def visible_objects(photo: LabeledPhoto) -> LabeledPhoto:
    """Return the visible part of each object, without confidence; ignored pixels are one object."""
    places = photo.places()
    ignored = np.zeros(places.shape, bool)
    kept = []
    for number, one in enumerate(photo.objects, 1):
        seen = places == number
        if one.name == IGNORE:
            ignored |= seen
        elif seen.any():
            kept.append(LabeledObject(one.name, _rle(seen)))
    if ignored.any():
        kept.append(LabeledObject(IGNORE, _rle(ignored)))
    return photo.with_objects(kept)


def label_mask(photo: LabeledPhoto, classes: ClassList) -> np.ndarray:
    """Return the ``(H, W)`` uint8 labels that are seen; what no object covers is unlabeled."""
    labels = [classes.unlabeled, *(classes.label_of(one.name) for one in photo.objects)]
    return np.array(labels, np.uint8)[photo.places()]


def parts_of_mask(mask: np.ndarray, classes: ClassList) -> Iterator[tuple[str, dict]]:
    """Yield class and RLE of each 8-connected part of a label mask, then those that are ignored.

    Args:
        mask: ``(H, W)`` uint8.
        classes: Where the list has no background, ignored pixels are merely not labeled.
    """
    for part in mask_annotations(mask, classes):
        yield classes.names[part['category_id']], part['segmentation']
    ignored = mask == classes.ignore_index
    if classes.background is not None and ignored.any():
        yield IGNORE, describe_mask(ignored)['segmentation']


def visible_parts(photo: LabeledPhoto, classes: ClassList) -> LabeledPhoto:
    """Return what a label mask holds of a photo: one object for each connected part of a class."""
    parts = parts_of_mask(label_mask(photo, classes), classes)
    found = [LabeledObject(name, compact_segmentation(rle)) for name, rle in parts]
    return photo.with_objects(found)


def without_confidence(photo: LabeledPhoto) -> LabeledPhoto:
    """Return a photo without the confidences of its objects."""
    return photo.with_objects([replace(one, confidence=None) for one in photo.objects])


def _rle(mask: np.ndarray) -> bytes:
    found = compact_segmentation(describe_mask(mask)['segmentation'])
    return found if isinstance(found, bytes) else b''
