"""Objects with ids over frames, counted by class when they pass a line."""

from collections import Counter
from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from mmseg_custom.classes import ClassList

# Rows of OpenCV's statistics of connected components.
LEFT, TOP, WIDTH, HEIGHT, AREA = range(5)


@dataclass
class BeltObject:
    """One object on the belt.

    Attributes:
        id: Counts up from 1, the same over frames.
        box: Left, top, right, bottom, in pixels.
        votes: How many frames called it which label.
        missed: Frames since it was last seen.
        is_counted: Whether it has passed the line.
    """

    id: int
    box: np.ndarray
    votes: Counter = field(default_factory=Counter)
    missed: int = 0
    is_counted: bool = False
    speed: np.ndarray = field(default_factory=lambda: np.zeros(4))

    @property
    def label(self) -> int:
        """The label that most frames gave it."""
        return self.votes.most_common(1)[0][0]

    def moved_to(self, box: np.ndarray, label: int, frames: int) -> None:
        """Take over where it is now."""
        step = (box - self.box) / frames
        # Both corners of one object move together.
        self.speed = np.tile((step[:2] + step[2:]) / 2, 2)
        self.box, self.missed = box, 0
        self.votes[label] += 1


class BeltCounter:
    """Follows objects over the frames of a belt and counts them by class.

    An object is a connected region of foreground, whatever its classes; its class is the one that
    covers most of it, by a vote over frames. Objects of the last frame, moved on by their speed,
    and of the new one are matched by the overlap of their boxes (the Hungarian method, as SORT
    does: Bewley et al., ICIP 2016).

    Args:
        classes: What the labels mean.
        line: Where it is counted, as a fraction of the side along which the belt runs.
        axis: 0: the belt runs from left to right or back; 1: down or up.
        least: The smallest object, as a fraction of the frame's area.
        patience: Frames that an object may be hidden.

    Attributes:
        counts (Counter): Number of objects that passed the line, by class name.
    """

    def __init__(
        self,
        classes: ClassList,
        line: float = 0.5,
        axis: int = 0,
        least: float = 0.005,
        patience: int = 5,
    ):
        self.classes, self.line, self.axis = classes, line, axis
        self.least, self.patience = least, patience
        self.counts: Counter[str] = Counter()
        self.objects: list[BeltObject] = []
        self._next_id = 1

    def update(self, mask: np.ndarray) -> list[BeltObject]:
        """Follow the objects into the next frame.

        Args:
            mask: ``(H, W)`` uint8 labels.

        Returns:
            list[BeltObject]: Those that are seen in it.
        """
        found = self._find(mask)
        for one in self.objects:
            one.missed += 1
        for old, new in self._pairs([box for box, _ in found]):
            box, label = found[new]
            before = _middle(self.objects[old].box, self.axis)
            self.objects[old].moved_to(box, label, self.objects[old].missed)
            self._count(self.objects[old], before, mask.shape[1 - self.axis])
            found[new] = (None, -1)
        for box, label in found:
            if box is not None:
                self.objects.append(BeltObject(self._next_id, box, Counter([label])))
                self._next_id += 1
        self.objects = [one for one in self.objects if one.missed <= self.patience]
        return [one for one in self.objects if one.missed == 0]

    def _find(self, mask: np.ndarray) -> list[tuple]:
        """Return box and label of each object."""
        foreground = np.isin(mask, self.classes.foreground).astype(np.uint8)
        _, regions, rows, _ = cv2.connectedComponentsWithStats(foreground)
        found: list[tuple] = []
        for number, row in enumerate(rows[1:], 1):
            if row[AREA] >= self.least * mask.size:
                window = np.s_[
                    row[TOP] : row[TOP] + row[HEIGHT], row[LEFT] : row[LEFT] + row[WIDTH]
                ]
                labels = mask[window][regions[window] == number]
                corner = row[[LEFT, TOP]]
                box = np.concatenate([corner, corner + row[[WIDTH, HEIGHT]]]).astype(float)
                found.append((box, int(np.bincount(labels).argmax())))
        return found

    def _pairs(self, boxes: list[np.ndarray]) -> list[tuple[int, int]]:
        """Return which old object is which new box."""
        if not boxes or not self.objects:
            return []
        expected = [one.box + one.speed * one.missed for one in self.objects]
        overlaps = np.array([[_overlap(old, new) for new in boxes] for old in expected])
        rows, columns = linear_sum_assignment(-overlaps)
        matched = zip(rows.tolist(), columns.tolist(), strict=True)
        return [(old, new) for old, new in matched if overlaps[old, new] > 0]

    def _count(self, one: BeltObject, before: float, side: int) -> None:
        line, now = self.line * side, _middle(one.box, self.axis)
        if not one.is_counted and (before < line) != (now < line):
            one.is_counted = True
            self.counts[self.classes.names[one.label]] += 1


def _middle(box: np.ndarray, axis: int) -> float:
    return float(box[axis] + box[axis + 2]) / 2


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the intersection over union of two boxes."""
    corner = np.maximum(first[:2], second[:2])
    inner = np.prod(np.maximum(0, np.minimum(first[2:], second[2:]) - corner))
    both = np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2])
    return float(inner / max(both - inner, 1e-9))
