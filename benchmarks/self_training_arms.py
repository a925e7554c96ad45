"""The arms of :mod:`benchmarks.self_training_heads`, and one choice of labeled photos."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from torch import nn

from mmseg_custom.coco import duplicate_groups
from mmseg_custom.pseudo.confidence import LEVELS
from mmseg_custom.pseudo.thresholds import balanced_thresholds, confidence_histogram

from .frozen_head import FrozenSet
from .mixed_heads import answers, train_mixed, train_online
from .next_photos import mean_iou
from .second_round_arms import hold_back, in_turns

MORE, TEACHER, ONLINE, LARGER = 'more', 'teacher', 'online', 'larger teacher'
IGNORED = 255


@dataclass(frozen=True)
class Arm:
    """How the teacher's answers become labels.

    Attributes:
        threshold: Least probability of a pixel.
        balanced: Of each class's pixels this part of highest probability, or None.
        crf: A dense CRF chooses the labels.
        members: Teachers whose probabilities are averaged, of each both mirror images if several.
        rounds: The student of a round is the teacher of the next one.
        larger: The teachers have a larger backbone than the student.
    """

    threshold: float = 0.8
    balanced: float | None = None
    crf: bool = False
    members: int = 1
    rounds: int = 1
    larger: bool = False


ARMS = {
    'pseudo 0.8': Arm(),
    'pseudo, all pixels': Arm(threshold=0.0),
    'pseudo 0.8 + CRF': Arm(crf=True),
    'class-balanced': Arm(threshold=0.0, balanced=0.5),
    'class-balanced, ensemble': Arm(threshold=0.0, balanced=0.5, members=3),
    'class-balanced, two rounds': Arm(threshold=0.0, balanced=0.5, rounds=2),
    'class-balanced, larger teacher': Arm(threshold=0.0, balanced=0.5, larger=True),
}


class Seed:
    """One choice of labeled photos, and what was trained with them.

    Args:
        data: See :func:`~benchmarks.frozen_head.load_frozen_set`.
        larger: Returns the same photos with the features of a larger backbone.
        part: One photo in ``part`` is labeled.
        seed: Of the choice and of the trainings.
        iterations: Of a teacher and of a student.
    """

    def __init__(
        self,
        data: FrozenSet,
        larger: Callable[[], FrozenSet],
        part: int,
        seed: int,
        iterations: int,
    ):
        self.data, self.larger, self.seed, self.iterations = data, larger, seed, iterations
        paths = [sample['img_path'] for sample in data.samples]
        groups = duplicate_groups(paths)
        self.tested, rest = hold_back(groups, seed)
        largest = {}
        for place in rest:
            counts = np.bincount(data.labels[place].ravel(), minlength=256)[: len(data.classes)]
            counts[data.classes.background] = 0
            if counts.any():
                largest[str(place)] = str(int(counts.argmax()))
        turns = in_turns([dict(file_name=str(place)) for place in rest], largest)
        self.labeled = [int(one['file_name']) for one in turns][: round(len(rest) / part)]
        self.unlabeled = [place for place in rest if place not in set(self.labeled)]
        self.trained = cache(self._trained)

    def head(self, number: int, iterations: int, larger: bool = False) -> nn.Module:
        """Return a head that only the labeled photos taught; each is trained once."""
        return self.trained(number, iterations, larger)

    def _trained(self, number: int, iterations: int, larger: bool) -> nn.Module:
        data, seed = self.larger() if larger else self.data, self.seed + 1000 * number
        return train_mixed(data, data.labels, self.labeled, (), seed, iterations)

    def measure(self, name: str) -> dict[str, float]:
        """Return the mIoU of an arm in percent; of labels, which part there is and is right."""
        if name == TEACHER:
            return self.score(self.head(0, self.iterations))
        if name == LARGER:
            return self.score(self.head(0, self.iterations, True), self.larger())
        if name == MORE:
            return self.score(self.head(0, 2 * self.iterations))
        if name == ONLINE:
            start = self.head(0, self.iterations)
            return self.score(
                train_online(
                    self.data, self.labeled, self.unlabeled, self.seed, self.iterations, start
                )
            )
        arm = ARMS[name]
        data = self.larger() if arm.larger else self.data
        numbers = range(arm.members)
        teachers = [self.head(number, self.iterations, arm.larger) for number in numbers]
        for _ in range(arm.rounds):
            labels = self.labels_of(data, teachers, arm)
            head = train_mixed(
                self.data, labels, self.labeled, self.unlabeled, self.seed, self.iterations
            )
            data, teachers = self.data, [head]
        return dict(**self.score(head), **self.quality(labels))

    def score(self, head: nn.Module, data: FrozenSet | None = None) -> dict[str, float]:
        """Return the mIoU on the photos that are held back, in percent."""
        return dict(mIoU=mean_iou(data or self.data, head, self.tested))

    def labels_of(self, data: FrozenSet, teachers: list[nn.Module], arm: Arm) -> np.ndarray:
        """Return labels of all photos: those of the teachers at the unlabeled ones."""
        found, confidence = answers(data, teachers, self.unlabeled, arm.crf)
        thresholds = class_thresholds(found, confidence, arm, len(data.classes))
        labels = self.data.labels.copy()
        found[confidence < thresholds[found]] = IGNORED
        labels[self.unlabeled] = found
        return labels

    def quality(self, labels: np.ndarray) -> dict[str, float]:
        """Return the part of the pixels that pseudo labels label, and that is right of these."""
        truth, found = self.data.labels[self.unlabeled], labels[self.unlabeled]
        kept = (found != IGNORED) & (truth != IGNORED)
        right = float((found == truth)[kept].mean()) if kept.any() else 0.0
        return dict(labeled=round(float(kept.mean()), 4), right=round(right, 4))


def class_thresholds(
    found: np.ndarray, confidence: np.ndarray, arm: Arm, num_classes: int
) -> np.ndarray:
    """Return the least confidence of each class, ``(C,)`` float."""
    thresholds = np.full(num_classes, arm.threshold)
    if arm.balanced is None:
        return thresholds
    counted = np.rint(confidence * LEVELS).astype(np.uint16)
    histogram = confidence_histogram(found, counted, num_classes)
    return np.maximum(thresholds, balanced_thresholds(histogram, arm.balanced) / LEVELS - 1e-5)
