"""The one form of labeled photos that all formats are read into and written from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.classes import BACKGROUND, IGNORE, ClassList, make_class_list, name_key
from mmseg_custom.coco.paint import paint
from mmseg_custom.coco.run_lengths import decode_counts
from mmseg_custom.coco.segmentation import Segmentation, segmentation_rle


@dataclass(frozen=True)
class LabeledObject:
    """One object of a photo.

    Attributes:
        name: Its class; :data:`~mmseg_custom.classes.IGNORE` for pixels that do not count.
        segmentation: Polygons in pixels or compressed RLE, in the small form of
            :mod:`mmseg_custom.coco.segmentation`. Pycocotools' rules say which pixels are inside.
        confidence: Of the model that found it, 0..1; None where a person drew it.
    """

    name: str
    segmentation: Segmentation
    confidence: float | None = None


@dataclass(frozen=True)
class LabeledPhoto:
    """A photo and its objects.

    Attributes:
        file_name: The photo, relative to the set, with ``/``.
        height: In pixels.
        width: In pixels.
        objects: In painting order, the topmost last.
        path: The file, where it is known.
        details: What else is known, such as ``license`` and ``origin``; COCO keeps it.
    """

    file_name: str
    height: int
    width: int
    objects: tuple[LabeledObject, ...] = ()
    path: Path | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def rle(self, of: LabeledObject) -> dict:
        """Return the compressed RLE of one of its objects, as pycocotools takes it."""
        return segmentation_rle(of.segmentation, self.height, self.width)

    def mask(self, of: LabeledObject) -> np.ndarray:
        """Return ``(H, W)`` uint8, 1 where one of its objects is."""
        return mask_utils.decode(self.rle(of))

    def key(self, of: LabeledObject) -> bytes:
        """Return what two objects of the same pixels have in common, whatever their form."""
        runs = decode_counts([self.rle(of)['counts']])[0]
        # Two changes at one place are none.
        places, times = np.unique(np.cumsum(runs), return_counts=True)
        places = places[times % 2 == 1]
        return places[places < self.height * self.width].tobytes()

    def places(self, of: Sequence[LabeledObject] | None = None) -> np.ndarray:
        """Return which object is topmost: ``(H, W)`` uint16, its place + 1, or 0 for none."""
        objects = self.objects if of is None else of
        pairs = [(place + 1, one.segmentation) for place, one in enumerate(objects)]
        return paint(pairs, self.height, self.width, 0, np.uint16)

    def with_objects(self, objects: Sequence[LabeledObject]) -> 'LabeledPhoto':
        """Return the photo with other objects."""
        return replace(self, objects=tuple(objects))


@dataclass(frozen=True)
class PhotoSet:
    """Labeled photos and their classes.

    Attributes:
        photos: In the set's order.
        names: Class names in label order, without background and ignored.
        notes: One line each: what was found, assumed, or left out while reading.
        licenses: As COCO has them.
    """

    photos: tuple[LabeledPhoto, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    licenses: tuple[dict, ...] = ()

    @property
    def classes(self) -> ClassList:
        """The class list of label masks: the background first, unless it is one of the names."""
        keys = {name_key(name) for name in self.names}
        first = [] if name_key(BACKGROUND) in keys else [BACKGROUND]
        return make_class_list([*first, *self.names])

    @property
    def objects(self) -> int:
        """The number of objects."""
        return sum(len(photo.objects) for photo in self.photos)

    def renamed(self, classes: ClassList) -> 'PhotoSet':
        """Return the set with the names that a class list, and its class map, has for them.

        Args:
            classes: Every name has to be one of its names.
        """

        def rename(one: LabeledObject) -> LabeledObject:
            label = classes.label_of(one.name)
            return one if label is None else replace(one, name=classes.title(label))

        photos = [photo.with_objects(list(map(rename, photo.objects))) for photo in self.photos]
        names = [classes.names[label] for label in classes.foreground]
        used = {one.name for photo in photos for one in photo.objects} - {*names, IGNORE}
        return replace(self, photos=tuple(photos), names=(*names, *sorted(used)))
