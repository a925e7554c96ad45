"""What is lost where a format cannot hold a set, counted before anything is written."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.classes import BACKGROUND, name_key
from mmseg_custom.utils.progress import tqdm

from .model import LabeledObject, LabeledPhoto, PhotoSet
from .registry import Format


@dataclass(frozen=True)
class Loss:
    """What a format does not hold of a set.

    Attributes:
        photos: How many are touched.
        pixels: Pixels whose visible class changes.
        objects: Objects that come back with other pixels, merged, split, or not at all.
        hidden: Pixels of objects that lie below others and are lost.
        confidences: Objects whose confidence is lost.
    """

    photos: int = 0
    pixels: int = 0
    objects: int = 0
    hidden: int = 0
    confidences: int = 0

    def __bool__(self) -> bool:
        """Return whether anything is lost."""
        return bool(self.photos)

    def __str__(self) -> str:
        """Return what is lost, in words."""
        parts = (
            (self.objects, 'objects change (hidden below others, merged with neighbors, or split)'),
            (self.hidden, 'pixels of objects are lost below others'),
            (self.pixels, 'pixels change their visible class'),
            (self.confidences, 'confidences are lost'),
        )
        listed = '; '.join(f'{count} {text}' for count, text in parts if count)
        return f'in {self.photos} photos: {listed}'


def loss_of(photos: PhotoSet, kind: Format) -> Loss:
    """Count what a format does not hold of a set."""
    total: Counter[str] = Counter()
    for photo in tqdm(photos.photos, desc='checking', unit='photo', leave=False):
        total.update(photo_loss(photo, kind.hold(photo)))
    return Loss(**total)


def photo_loss(before: LabeledPhoto, after: LabeledPhoto) -> Counter[str]:
    """Count what is lost between two states of a photo, by attribute of :class:`Loss`."""
    if before is after:
        return Counter()
    found = [(_identity(after, one), one.confidence) for one in after.objects]
    kept, sure = Counter(identity for identity, _ in found), Counter(found)
    lost: Counter[str] = Counter()
    for one in before.objects:
        identity = _identity(before, one)
        lost['objects'] += not kept[identity]
        kept[identity] -= bool(kept[identity])
        if one.confidence is not None:
            lost['confidences'] += not sure[identity, one.confidence]
            sure[identity, one.confidence] -= bool(sure[identity, one.confidence])
    lost['pixels'] = int(np.count_nonzero(_visible(before) != _visible(after)))
    lost['hidden'] = max(0, _area(before) - _area(after))
    lost['photos'] = int(any(lost.values()))
    return +lost


def _identity(photo: LabeledPhoto, one: LabeledObject) -> tuple[str, bytes]:
    return name_key(one.name), photo.key(one)


def _area(photo: LabeledPhoto) -> int:
    return sum(int(mask_utils.area(photo.rle(one))) for one in photo.objects)


def _visible(photo: LabeledPhoto) -> np.ndarray:
    """Return ``(H, W)`` int64: a number for the class that is seen, the same for any photo."""
    names = [0, *(_number(one.name) for one in photo.objects)]
    return np.array(names, np.int64)[photo.places()]


def _number(name: str) -> int:
    """Return a number that differs between classes; that of the background is that of nothing."""
    return 0 if name_key(name) == name_key(BACKGROUND) else hash(name_key(name)) | 1
