"""What self-training gains where only the head is trained: dozens of seeds on one core.

The backbone is frozen (:mod:`benchmarks.frozen_head`). Each seed holds back a fifth of the photos
and labels others. The baseline and each arm take the same number of iterations with as many
labeled photos: the baseline trains once for twice as long, an arm trains a teacher and then a
student from scratch.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int

MORE, TEACHER, ONLINE = 'more', 'teacher', 'online'
FOLDS = 5
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
    """

    threshold: float = 0.8
    balanced: float | None = None
    crf: bool = False
    members: int = 1
    rounds: int = 1


ARMS = {
    'pseudo 0.8': Arm(),
    'pseudo, all pixels': Arm(threshold=0.0),
    'pseudo 0.8 + CRF': Arm(crf=True),
    'class-balanced': Arm(threshold=0.0, balanced=0.5),
    'class-balanced, ensemble': Arm(threshold=0.0, balanced=0.5, members=3),
    'class-balanced, two rounds': Arm(threshold=0.0, balanced=0.5, rounds=2),
}


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.self_training_heads',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.self_training_heads data/garbage6_320/annotations.json',
    )
    parser.add_argument('ann', type=existing_file, metavar='ANN', help='COCO file of a labeled set')
    parser.add_argument('--parts', nargs='+', type=positive_int, default=[16, 8, 4], metavar='N')
    parser.add_argument('--seeds', type=positive_int, default=10, help='number of seeds (10)')
    parser.add_argument('--iterations', type=positive_int, default=200, help='of a head (200)')
    parser.add_argument(
        '--out',
        default='benchmarks/results/self_training_heads.json',
        help='raw numbers; a table (.md) and a picture (.png) are beside it',
    )
    return parser


def run(args) -> None:
    """Run what is not done, seed by seed, and write the table."""
    from .frozen_head import load_frozen_set, quiet
    from .second_round_report import write_report
    from .studies import continued

    quiet()
    data = cache(lambda: load_frozen_set(args.ann))
    names = (TEACHER, MORE, *ARMS, ONLINE)
    runs = [
        (seed, f'1/{part} {name}')
        for seed in range(args.seeds)
        for part in args.parts
        for name in names
    ]
    settings = dict(iterations=args.iterations)
    study = cache(lambda part, seed: Seed(data(), part, seed, args.iterations))

    def measure(seed: int, name: str) -> dict[str, float]:
        part, _, arm = name.removeprefix('1/').partition(' ')
        return study(int(part), seed).measure(arm)

    found = continued(args.out, settings, runs, measure)
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for (seed, name), result in found.items():
        part, _, arm = name.partition(' ')
        scores.setdefault(part, {}).setdefault(arm, {})[str(seed)] = result['mIoU']
    print(write_report(scores, args.out))


class Seed:
    """One choice of labeled photos, and what was trained with them.

    Args:
        data: See :func:`~benchmarks.frozen_head.load_frozen_set`.
        part: One photo in ``part`` is labeled.
        seed: Of the choice and of the trainings.
        iterations: Of a teacher and of a student.
    """

    def __init__(self, data: Any, part: int, seed: int, iterations: int):
        import numpy as np

        from mmseg_custom.coco import duplicate_groups

        from .second_round_arms import hold_back, in_turns

        self.data, self.seed, self.iterations = data, seed, iterations
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
        self.head = cache(self._supervised)

    def _supervised(self, number: int, iterations: int):
        from .mixed_heads import train_mixed

        seed = self.seed + 1000 * number
        return train_mixed(self.data, self.data.labels, self.labeled, (), seed, iterations)

    def measure(self, name: str) -> dict[str, float]:
        """Return the mIoU of an arm in percent; of labels, which part there is and is right."""
        from .mixed_heads import train_mixed, train_online
        from .next_photos import mean_iou

        if name == TEACHER:
            return dict(mIoU=mean_iou(self.data, self.head(0, self.iterations), self.tested))
        if name == MORE:
            return dict(mIoU=mean_iou(self.data, self.head(0, 2 * self.iterations), self.tested))
        if name == ONLINE:
            start = self.head(0, self.iterations)
            head = train_online(
                self.data, self.labeled, self.unlabeled, self.seed, self.iterations, start
            )
            return dict(mIoU=mean_iou(self.data, head, self.tested))
        arm = ARMS[name]
        teachers = [self.head(number, self.iterations) for number in range(arm.members)]
        for _ in range(arm.rounds):
            labels = self.labels_of(teachers, arm)
            head = train_mixed(
                self.data, labels, self.labeled, self.unlabeled, self.seed, self.iterations
            )
            teachers = [head]
        return dict(mIoU=mean_iou(self.data, head, self.tested), **self.quality(labels))

    def labels_of(self, teachers: list, arm: Arm):
        """Return labels of all photos: those of the teachers at the unlabeled ones."""
        from .mixed_heads import answers

        found, confidence = answers(self.data, teachers, self.unlabeled, arm.crf)
        thresholds = class_thresholds(found, confidence, arm, len(self.data.classes))
        labels = self.data.labels.copy()
        found[confidence < thresholds[found]] = IGNORED
        labels[self.unlabeled] = found
        return labels

    def quality(self, labels) -> dict[str, float]:
        """Return the part of the pixels that pseudo labels label, and that is right of these."""
        truth, found = self.data.labels[self.unlabeled], labels[self.unlabeled]
        kept = (found != IGNORED) & (truth != IGNORED)
        right = float((found == truth)[kept].mean()) if kept.any() else 0.0
        return dict(labeled=round(float(kept.mean()), 4), right=round(right, 4))


def class_thresholds(found, confidence, arm: Arm, num_classes: int):
    """Return the least confidence of each class, ``(C,)`` float."""
    import numpy as np

    from mmseg_custom.pseudo.confidence import LEVELS
    from mmseg_custom.pseudo.thresholds import balanced_thresholds, confidence_histogram

    thresholds = np.full(num_classes, arm.threshold)
    if arm.balanced is None:
        return thresholds
    counted = np.rint(confidence * LEVELS).astype(np.uint16)
    histogram = confidence_histogram(found, counted, num_classes)
    return np.maximum(thresholds, balanced_thresholds(histogram, arm.balanced) / LEVELS - 1e-5)


if __name__ == '__main__':
    cli.main(build_parser, run)
