"""Objects with ids over frames, counted by class when they pass a line."""

from collections import Counter
from dataclasses import dataclass, field

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.utils.extras import needing

# Rows of OpenCV's statistics of connected components.
LEFT, TOP, WIDTH, HEIGHT, AREA = range(5)
# Boxes that overlap less are two objects; the tracker counts its patience in frames of this rate.
LEAST_OVERLAP, TRACKER_RATE = 0.02, 30


@dataclass
class BeltObject:
    """One object on the belt.

    Attributes:
        id: The same over frames; none is used twice.
        box: ``(4,)`` float: left, top, right, bottom, in pixels.
        seen: When it was last seen, in seconds.
        votes: How many frames called it which label.
        is_counted: Whether it has passed the line.
    """

    id: int
    box: np.ndarray
    seen: float
    votes: Counter = field(default_factory=Counter)
    is_counted: bool = False

    @property
    def label(self) -> int:
        """The label that most frames gave it."""
        return self.votes.most_common(1)[0][0]


class BeltCounter:
    """Follows objects over the frames of a belt and counts them by class.

    An object is a connected region of foreground, whatever its classes; its class is the one that
    covers most of it, by a vote over frames. ByteTrack (Zhang et al., ECCV 2022; of the package
    trackers) gives the ids: it predicts where each object has moved to by the time of the frame,
    however many frames were dropped before it.

    Args:
        classes: What the labels mean.
        line: Where it is counted, as a fraction of the side along which the belt runs.
        axis: 0: the belt runs from left to right or back; 1: down or up.
        least: The smallest object, as a fraction of the frame's area.
        patience: Seconds that an object may be hidden.

    Attributes:
        counts (Counter): Number of objects that passed the line, by class name.
        passed (list[BeltObject]): Those that passed it in the last frame.

    Raises:
        UserError: The package trackers is not installed.
    """

    def __init__(
        self,
        classes: ClassList,
        line: float = 0.5,
        axis: int = 0,
        least: float = 0.01,
        patience: float = 1.0,
    ):
        with needing('trackers', 'live'):
            from trackers import ByteTrackTracker
        self.classes, self.line, self.axis = classes, line, axis
        self.least, self.patience = least, patience
        self.counts: Counter[str] = Counter()
        self.passed: list[BeltObject] = []
        self._objects: dict[int, BeltObject] = {}
        self._tracker = ByteTrackTracker(
            lost_track_buffer=round(TRACKER_RATE * patience), minimum_iou_threshold=LEAST_OVERLAP
        )

    def update(self, mask: np.ndarray, seconds: float) -> list[BeltObject]:
        """Follow the objects into the next frame.

        Args:
            mask: ``(H, W)`` uint8 labels.
            seconds: When the frame was taken; more than for the frame before.

        Returns:
            list[BeltObject]: Those that are seen in it, from the second frame that shows them on.
        """
        from supervision import Detections

        boxes, labels = self._find(mask)
        tracked = self._tracker.update(Detections(boxes, class_id=labels), timestamp=seconds)
        ids, kinds = np.asarray(tracked.tracker_id), np.asarray(tracked.class_id)
        self.passed = []
        middle_line = self.line * mask.shape[1 - self.axis]
        seen = [
            self._see(number, box, label, seconds, middle_line)
            for number, box, label in zip(ids.tolist(), tracked.xyxy, kinds.tolist(), strict=True)
            if number >= 0
        ]
        self._objects = {
            number: one
            for number, one in self._objects.items()
            if seconds - one.seen <= 2 * self.patience
        }
        return seen

    def _find(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(N, 4)`` float boxes and ``(N,)`` int labels of the objects."""
        foreground = np.isin(mask, self.classes.foreground).astype(np.uint8)
        _, regions, rows, _ = cv2.connectedComponentsWithStats(foreground)
        boxes, labels = [], []
        for number, row in enumerate(rows[1:], 1):
            if row[AREA] >= self.least * mask.size:
                left, top = row[LEFT], row[TOP]
                right, bottom = left + row[WIDTH], top + row[HEIGHT]
                inside = regions[top:bottom, left:right] == number
                labels.append(int(np.bincount(mask[top:bottom, left:right][inside]).argmax()))
                boxes.append((left, top, right, bottom))
        return np.array(boxes, float).reshape(-1, 4), np.array(labels, int)

    def _see(
        self, number: int, box: np.ndarray, label: int, seconds: float, line: float
    ) -> BeltObject:
        one = self._objects.setdefault(number, BeltObject(number, box, seconds))
        before, now = _middle(one.box, self.axis), _middle(box, self.axis)
        one.box, one.seen = box, seconds
        one.votes[label] += 1
        if not one.is_counted and (before < line) != (now < line):
            one.is_counted = True
            self.passed.append(one)
            self.counts[self.classes.names[one.label]] += 1
        return one


def _middle(box: np.ndarray, axis: int) -> float:
    return float(box[axis] + box[axis + 2]) / 2
