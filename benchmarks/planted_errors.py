"""Plant label errors into a set whose labels are taken for right."""

from dataclasses import dataclass

import cv2
import numpy as np

from mmseg_custom.coco.paint import paint

from .frozen_head import FrozenSet, small_mask

KINDS = ('swapped', 'missing', 'outline')
# Of the square root of the object's area: how far a sloppy outline is off.
SLOPPY = 0.2


@dataclass(frozen=True)
class Objects:
    """The objects of one photo at the size of the training.

    Attributes:
        places: ``(H, W)`` uint8: number of the topmost object in each pixel, from 1 on; 0: none.
        labels: Class of each object.
    """

    places: np.ndarray
    labels: list[int]

    def mask(self, unlabeled: int) -> np.ndarray:
        """Return ``(H, W)`` uint8 labels."""
        return np.array([unlabeled, *self.labels], np.uint8)[self.places]

    def visible(self) -> list[int]:
        """Return the places of the objects that can be seen."""
        return [int(place) - 1 for place in np.unique(self.places) if place]


def objects_of(data: FrozenSet) -> list[Objects]:
    """Return the objects of each photo."""
    found = []
    for sample in data.samples:
        pairs = [(place + 1, one[1]) for place, one in enumerate(sample['annotations'])]
        places = paint(pairs, sample['height'], sample['width'], 0)
        found.append(Objects(small_mask(places), [label for label, _ in sample['annotations']]))
    return found


def plant(
    photos: list[Objects], kind: str, fraction: float, num_classes: int, seed: int
) -> tuple[list[Objects], np.ndarray]:
    """Change one object in a random part of the photos.

    Args:
        photos: The right objects.
        kind: ``swapped``: another class than its own; ``missing``: it is gone; ``outline``: it is
            too large, too small or moved.
        fraction: Of the photos with objects.
        num_classes: With the background, which is class 0.
        seed: Decides which photos and objects, and how they change.

    Returns:
        tuple[list[Objects], np.ndarray]: All photos; ``(photos,)`` bool, which were changed.
    """
    rng = np.random.default_rng(seed)
    having = [place for place, photo in enumerate(photos) if photo.visible()]
    chosen = rng.choice(having, round(fraction * len(having)), replace=False)
    result, planted = list(photos), np.zeros(len(photos), bool)
    for place in chosen.tolist():
        changed = _changed(photos[place], kind, num_classes, rng)
        # A tiny object's outline may be off by less than a pixel.
        planted[place] = not np.array_equal(changed.mask(0), photos[place].mask(0))
        result[place] = changed
    return result, planted


def _changed(photo: Objects, kind: str, num_classes: int, rng: np.random.Generator) -> Objects:
    one = int(rng.choice(photo.visible()))
    labels = list(photo.labels)
    own = photo.places == one + 1
    places = photo.places.copy()
    if kind == 'swapped':
        others = [label for label in range(1, num_classes) if label != labels[one]]
        labels[one] = int(rng.choice(others))
        return Objects(places, labels)
    places[own] = 0
    if kind == 'outline':
        places[_sloppy(own, rng) & (places == 0)] = one + 1
    return Objects(places, labels)


def _sloppy(own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an object that is too large, too small or moved: ``(H, W)`` bool."""
    distance = max(1, round(SLOPPY * float(np.sqrt(own.sum()))))
    size = 2 * distance + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    how = rng.integers(3)
    if how < 2:
        change = (cv2.dilate, cv2.erode)[how]
        return change(own.astype(np.uint8), kernel, borderValue=0) > 0
    angle = rng.uniform(0, 2 * np.pi)
    move = np.array([[1, 0, distance * np.cos(angle)], [0, 1, distance * np.sin(angle)]])
    moved = cv2.warpAffine(own.astype(np.uint8), move, own.shape[::-1], flags=cv2.INTER_NEAREST)
    return moved > 0
