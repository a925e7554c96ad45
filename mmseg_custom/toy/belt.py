"""A conveyor belt with objects cut out of labeled photos: frames, labels and counts are known."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.photos import read_photo

# The smallest object, as a fraction of its photo; the longer side of one on the belt, as a fraction
# of the belt's width.
LEAST, SIDE = 0.02, (0.45, 0.75)
# Gray levels of the belt; pixels of a grain of it; the camera's noise, a standard deviation.
BELT_COLOR, GRAIN, NOISE = (52, 50, 48), 6, 4
# A beginning without objects, as a fraction of a frame, and the space between two of them.
LEAD, SPACE = 1.2, 0.25


class CutOut(NamedTuple):
    """One object.

    Attributes:
        photo: ``(h, w, 3)`` uint8 RGB.
        mask: ``(h, w)`` bool: what of it is the object.
        label: Its class.
    """

    photo: np.ndarray
    mask: np.ndarray
    label: int


class Belt:
    """Objects that pass from right to left in front of a camera, over and over again.

    Args:
        objects: What lies on it, in this order.
        width: Of a frame, in pixels.
        height: Of a frame, in pixels: the belt's width.
        step: Pixels that the belt moves by in a frame.
        seed: Of the belt, of the sizes of the objects, and of the noise.

    Attributes:
        frames (int): After this many it begins again.
        labels (tuple[int, ...]): Classes of the objects, in the order in which they pass.
    """

    def __init__(
        self,
        objects: Sequence[CutOut],
        width: int = 320,
        height: int = 240,
        step: int = 32,
        seed: int = 0,
    ):
        rng = np.random.default_rng(seed)
        self.width, self.step, self.seed = width, step, seed
        sized = [_sized(one, rng.uniform(*SIDE) * height) for one in objects]
        space = int(SPACE * width)
        lengths = [one.mask.shape[1] + space for one in sized]
        length = int(LEAD * width) + sum(lengths)
        # It ends where it begins.
        length += -length % step
        self.frames, self.labels = length // step, tuple(one.label for one in objects)
        coarse = rng.normal(size=(1 + height // GRAIN, 1 + length // GRAIN)).astype(np.float32)
        texture = 5 * cv2.resize(coarse, (length, height), interpolation=cv2.INTER_CUBIC)
        photo = np.array(BELT_COLOR) + texture[..., None]
        self._photo = np.clip(photo, 0, 255).astype(np.uint8)
        self._mask = np.zeros((height, length), np.uint8)
        left = int(LEAD * width)
        for one, taken in zip(sized, lengths, strict=True):
            top = rng.integers(0, height - one.mask.shape[0] + 1)
            place = np.s_[top : top + one.mask.shape[0], left : left + one.mask.shape[1]]
            self._photo[place][one.mask] = one.photo[one.mask]
            self._mask[place][one.mask] = one.label
            left += taken

    def frame(self, number: int, is_moving: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Return what the camera sees.

        Args:
            number: From 0, any.
            is_moving: False: the belt stands still where it is in frame 0; the noise still changes.

        Returns:
            tuple[np.ndarray, np.ndarray]: ``(H, W, 3)`` uint8 RGB and ``(H, W)`` uint8 labels.
        """
        start = number * self.step if is_moving else 0
        columns = np.arange(start, start + self.width) % self._mask.shape[1]
        return noisy(self._photo[:, columns], (self.seed, number)), self._mask[:, columns]

    def counts(self, classes: ClassList) -> Counter[str]:
        """Return the number of objects of each class that pass in one turn of the belt."""
        return Counter(classes.names[label] for label in self.labels)


def noisy(photo: np.ndarray, seed: Any, level: float = NOISE) -> np.ndarray:
    """Add the noise of a camera.

    Args:
        photo: ``(H, W, 3)`` uint8.
        seed: Of NumPy's generator.
        level: Standard deviation in gray levels.
    """
    noise = np.random.default_rng(seed).standard_normal(photo.shape, np.float32)
    return np.clip(photo + level * noise, 0, 255).astype(np.uint8)


def cut_out(samples: Sequence[dict[str, Any]], classes: ClassList) -> list[CutOut]:
    """Cut the largest object that no border of the photo cuts off out of each photo.

    Args:
        samples: Labeled photos, as :func:`mmseg_custom.coco.labelled_set.labelled_samples` has
            them. One without such an object is left out.
        classes: Their classes.
    """
    found = (_largest(sample, classes) for sample in samples)
    return [one for one in found if one is not None]


def _largest(sample: dict[str, Any], classes: ClassList) -> CutOut | None:
    labels = sample_mask(sample, Path(), classes)
    best, area = None, LEAST * labels.size
    for label in set(np.unique(labels).tolist()) & set(classes.foreground):
        regions, rows = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8))[1:3]
        for number, (left, top, width, height, size) in enumerate(rows[1:].tolist(), 1):
            ends = left + width, top + height
            if size > area and left and top and ends < labels.shape[::-1]:
                place = np.s_[top : ends[1], left : ends[0]]
                best, area = (place, regions[place] == number, label), size
    if best is None:
        return None
    place, mask, label = best
    photo = read_photo(sample['img_path'], sample['height'], sample['width'])[..., ::-1]
    return CutOut(photo[place], mask, label)


def _sized(one: CutOut, side: float) -> CutOut:
    scale = side / max(one.mask.shape)
    size = tuple(max(1, round(scale * length)) for length in one.mask.shape[::-1])
    mask = cv2.resize(one.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    photo = cv2.resize(np.ascontiguousarray(one.photo), size, interpolation=cv2.INTER_AREA)
    return one._replace(photo=photo, mask=mask.astype(bool))
