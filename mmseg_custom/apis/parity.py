"""How far two segmenters of the same model agree."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mmseg_custom.export.photo_sizes import CHECKED

from .exported_segmenter import ExportedSegmenter
from .float64 import in_float64
from .segmentation import Segmentation, Segmenter
from .segmenter import TrashSegmenter

MAX_DIFFERENCE, MIN_EQUAL = 1e-3, 0.999
# Photos in the batches of noise.
BATCHES = (1, 3)


@dataclass(frozen=True)
class Parity:
    """The agreement over all photos.

    Attributes:
        difference: The largest between two probabilities, in 0..1; None where one side has none.
        equal: Fraction of the pixels with the same label, in 0..1.
        exact: The largest difference of what was exported from the model in float64, if
            ``difference`` is too large and that was measured.
        rounding: The same of the model itself, in float32.
    """

    difference: float | None
    equal: float
    exact: float | None = None
    rounding: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the two are the same model for every purpose."""
        difference = self.difference if self.exact is None else self.exact
        return self.equal >= MIN_EQUAL and (difference or 0) <= MAX_DIFFERENCE

    def __str__(self) -> str:
        equal = f'{100 * self.equal:.3f} % of the pixels have the same class'
        if self.difference is None:
            return equal
        exact = (
            ''
            if self.exact is None
            else f' (from those in float64 by {self.exact:.1e}, as PyTorch by {self.rounding:.1e})'
        )
        return f'probabilities differ by at most {self.difference:.1e}{exact}, {equal}'


def compare(
    segmenter: Segmenter, exported: ExportedSegmenter, batches: Sequence[Sequence[np.ndarray]]
) -> Parity:
    """Let both segment the same photos.

    Where rounding errors grow in a model, as in K-Net's, two float32 results differ by the sum of
    both errors: if that is too much, both are measured against the model in float64.

    Args:
        segmenter: The model.
        exported: What became of it.
        batches: Of ``(H, W, 3)`` uint8 RGB photos.
    """
    differences, equal, pixels = [], 0, 0
    for photos in batches:
        pairs = zip(segmenter.batch(photos), exported.batch(photos), strict=True)
        for ours, theirs in pairs:
            differences.append(largest_difference(ours, theirs))
            equal += int(np.count_nonzero(ours.mask == theirs.mask))
            pixels += ours.mask.size
    difference = float(np.max(differences)) if exported.has_probabilities else None
    parity = Parity(difference, equal / pixels)
    if parity.holds or difference is None or not isinstance(segmenter, TrashSegmenter):
        return parity
    truth = in_float64(segmenter)
    errors = [
        (largest_difference(true, theirs), largest_difference(true, ours))
        for photos in batches
        for true, theirs, ours in zip(
            truth.batch(photos), exported.batch(photos), segmenter.batch(photos), strict=True
        )
    ]
    exact, rounding = np.array(errors).max(axis=0).tolist()
    return replace(parity, exact=exact, rounding=rounding)


def largest_difference(one: Segmentation, other: Segmentation) -> float:
    """Return the largest difference between two probabilities, in 0..1."""
    return float(np.abs(one.probabilities - other.probabilities).max())


def random_photos(
    sizes: Sequence[tuple[int, int]] = CHECKED,
) -> list[list[np.ndarray]]:
    """Return batches of smooth noise, ``(H, W, 3)`` uint8 RGB; always the same.

    Args:
        sizes: Height and width in each of two batches; by default none of them the size at export,
            nor multiples of 32.
    """
    rng = np.random.default_rng(0)
    return [[_noise(rng, *size) for _ in range(n)] for n, size in zip(BATCHES, sizes, strict=True)]


def _noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
