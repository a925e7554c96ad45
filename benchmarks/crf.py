"""The dense CRF against pydensecrf: default and heavy weights, 11 and 21 labels, two sizes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mmseg_custom.postprocess import DenseCrf

from .probabilities import photos_and_probabilities
from .timing import Comparison, compare

Pair = tuple[np.ndarray, np.ndarray]
PHOTOS, ROUNDS = 3, 3
SIDES = (512, 1024)
LABELS = (11, 21)
# The upper ends of what `tools/crf.py --tune` searches.
WEIGHTS = dict(default=DenseCrf(), tuned=DenseCrf(gaussian_weight=10.0, bilateral_weight=20.0))
# Highest lead of one class over another: a tenth of its probability.
UNDECIDED = 0.1


@dataclass
class Case:
    """What both refine."""

    what: str
    crf: DenseCrf
    pairs: list[Pair]
    goal: float

    def compare(self) -> Comparison:
        """Time both, and say on how many pixels they agree."""
        original = replace(self.crf, backend='pydensecrf')
        agreement = np.mean(
            [(self.crf(*pair).argmax(0) == original(*pair).argmax(0)).mean() for pair in self.pairs]
        )
        return compare(
            f'dense CRF, {self.what} ({100 * agreement:.3f} % of the pixels agree)',
            lambda: [self.crf(*pair) for pair in self.pairs],
            'pydensecrf',
            lambda: [original(*pair) for pair in self.pairs],
            len(self.pairs),
            self.goal,
            rounds=ROUNDS,
        )


def run() -> Iterator[Comparison]:
    """Compare at each size, number of labels and weights, and where no pixel is decided."""
    pairs, source = photos_and_probabilities(PHOTOS)
    print(f'dense CRF on {source}, resized', flush=True)
    cases = [
        Case(
            f'{name} weights, {labels} labels, {side} px',
            crf,
            [resized(pair, side, labels) for pair in pairs[: PHOTOS if side == SIDES[0] else 1]],
            goal=0.3,
        )
        for name, crf in WEIGHTS.items()
        for labels in LABELS
        for side in SIDES
    ]
    largest = resized(pairs[0], SIDES[-1], LABELS[-1])
    cases.append(
        Case(
            f'undecided, {LABELS[-1]} labels, {SIDES[-1]} px',
            DenseCrf(),
            [(largest[0], undecided(largest[1].shape))],
            goal=1.0,
        )
    )
    for case in cases:
        yield case.compare()


def resized(pair: Pair, side: int, labels: int) -> Pair:
    """Return a photo of ``side`` x ``side`` pixels and its probabilities of ``labels`` classes.

    Classes that are added take up to a tenth of a pixel's probability together, in spots.
    """
    photo, probabilities = pair
    size = side, side
    found = np.stack([cv2.resize(channel, size) for channel in probabilities])
    rng = np.random.default_rng(0)
    added = [cv2.resize(rng.random((16, 16), np.float32), size) for _ in range(labels - len(found))]
    if added:
        spots = np.stack(added) * (0.1 / len(added))
        found = np.concatenate([found * (1 - spots.sum(axis=0)), spots])
    return cv2.resize(photo, size), np.ascontiguousarray(found / found.sum(axis=0), np.float32)


def undecided(shape: tuple[int, int, int]) -> np.ndarray:
    """Return noise, of which no class stands out."""
    rng = np.random.default_rng(0)
    probabilities = 1 + UNDECIDED * rng.random(shape, dtype=np.float32)
    return probabilities / probabilities.sum(axis=0)
