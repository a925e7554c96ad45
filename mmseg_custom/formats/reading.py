"""What all readers share: checked objects, one message for a broken file, notes for the user."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.classes import IGNORE, name_key
from mmseg_custom.coco.decode_photo import MAX_PIXELS
from mmseg_custom.coco.photos import photo_size, require_size
from mmseg_custom.coco.segmentation import compact_segmentation, describe_mask
from mmseg_custom.coco.segmentation_check import clip_segmentation, segmentation_problem
from mmseg_custom.utils import UserError

from .files import clean_name
from .model import LabeledObject, LabeledPhoto, PhotoSet


class Reading:
    """Photos and classes while a set is read.

    Args:
        source: What is read, named in messages.
        names: Classes that are known before, in label order.
    """

    def __init__(self, source: Path, names: tuple[str, ...] = ()):
        self.source = source
        # What is being read, for the message about a broken file.
        self.at = str(source)
        self.photos: list[LabeledPhoto] = []
        self.names: dict[str, str] = {name_key(name): name for name in names}
        self.counts: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.notes: list[str] = []
        self.licenses: tuple[dict, ...] = ()

    def begin(self, file_name: str, path: Path | None, height: Any, width: Any, **details: Any):
        """Begin the next photo; a size that is None is read from the file.

        Raises:
            UserError: The size is none, is not known, or is not that of the photo.
        """
        try:
            name = clean_name(file_name)
        except UserError as error:
            raise UserError(f'{self.at}: {error}') from None
        height, width = (None if one is None else as_size(one) for one in (height, width))
        self.at = f'{self.source}: {name}'
        path = path if path is not None and path.is_file() else None
        if path is not None:
            found = photo_size(path)
            height, width = found if height is None or width is None else (height, width)
            require_size(path, np.empty((*found, 0)), height, width)
        elif height is None or width is None:
            raise UserError(
                f'{self.at}: its size is not written there, and the photo is not found',
                kind='missing-photos',
            )
        if height * width > MAX_PIXELS:
            raise UserError(f'{self.at}: {width}x{height} is over {MAX_PIXELS} pixels')
        self.photos.append(LabeledPhoto(name, height, width, (), path, details))

    def begin_mask(
        self, stem: str, photo: Path | None, shape: tuple[int, ...], suffix: str = '.jpg'
    ) -> None:
        """Begin a photo that is known by its mask; one that is not found has a common suffix.

        Args:
            stem: Its file name without suffix.
            photo: The file, where it was found.
            shape: Height and width of the mask.
            suffix: Of a photo that was not found, which is counted.
        """
        self.assumed[suffix] += photo is None
        self.begin(stem + (photo.suffix if photo else suffix), photo, *shape)

    def add(self, name: Any, segmentation: Any, confidence: Any = None) -> None:
        """Add an object to the last photo, on top of the others.

        Args:
            name: Its class.
            segmentation: As a COCO file has it: polygons or RLE; or a ``(H, W)`` mask.
            confidence: 0..1, or None.

        Raises:
            UserError: It is broken.
        """
        photo = self.photos[-1]
        number = len(photo.objects) + 1
        if not isinstance(name, str) or not name.strip():
            raise UserError(f'{self.at}: object {number} has the class {name!r}')
        if isinstance(segmentation, np.ndarray):
            segmentation = describe_mask(segmentation)['segmentation']
        elif isinstance(segmentation, list):
            segmentation = [one for one in segmentation if len(one) >= 6]
            if not segmentation:
                self.counts['with fewer than 3 points'] += 1
                return
        if problem := segmentation_problem(segmentation, photo.height, photo.width):
            clipped = clip_segmentation(segmentation, photo.height, photo.width)
            if clipped is None:
                raise UserError(f'{self.at}: object {number} ({name}) {problem}')
            self.counts['clipped'] += 1
            segmentation = clipped
        found = LabeledObject(
            self.known(name), compact_segmentation(segmentation), self._confidence(confidence)
        )
        if not len(photo.key(found)):
            self.counts['that cover no pixel'] += 1
            return
        self.photos[-1] = photo.with_objects((*photo.objects, found))

    def known(self, name: str) -> str:
        """Return a class's name as it was first written; a new one is added to the list."""
        if name_key(name) == IGNORE:
            return IGNORE
        return self.names.setdefault(name_key(name), name)

    def leave_out(self, kind: str) -> None:
        """Note that a shape of a kind is left out, such as ``that are lines``."""
        self.counts[kind] += 1

    def _confidence(self, value: Any) -> float | None:
        if value is None:
            return None
        number = float(value)
        if not (math.isfinite(number) and 0 <= number <= 1):
            self.notes.append(f'{self.at}: a confidence is {value!r}, not 0 to 1: left out')
            return None
        return number

    def done(self) -> PhotoSet:
        """Return the set.

        Raises:
            UserError: It lists no photo, or one twice.
        """
        if not self.photos:
            raise UserError(f'{self.source}: has no labeled photo')
        twice = [name for name, n in Counter(p.file_name for p in self.photos).items() if n > 1]
        if twice:
            raise UserError(f'{self.source}: has labels of {twice[0]} twice')
        clipped = self.counts.pop('clipped', 0)
        notes = [f'{n} photos are assumed to be {s} files' for s, n in self.assumed.items() if n]
        notes += [f'{n} shapes {kind}: left out' for kind, n in self.counts.items()]
        if clipped:
            notes.append(f'{clipped} objects reach beyond their photo: cut at its edge')
        missing = sum(photo.path is None for photo in self.photos)
        if missing:
            notes.append(f'{missing} of {len(self.photos)} photos are not found')
        names = tuple(self.names.values())
        return PhotoSet(tuple(self.photos), names, (*self.notes, *notes), self.licenses)


def as_size(value: Any) -> int:
    """Return a height or a width as a number, above 0."""
    number = int(value)
    if number != float(value) or number < 1:
        raise ValueError(f'the size {value!r}')
    return number
