"""What the sorting guide says about a photo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.coco import IGNORE_INDEX

from .rules import ClassRule, SortingRules

Refine = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Look:
    """A photo and what the model sees in it.

    Args:
        photo: ``(H, W, 3)`` uint8 RGB.
        plain: What the model said.
        refine: Makes of the photo and probabilities ``(C, H, W)`` float32 better ones, such as
            :class:`mmseg_custom.postprocess.DenseCrf`.
    """

    def __init__(self, photo: np.ndarray, plain: Segmentation, refine: Refine):
        self.photo, self.plain = photo, plain
        self._refine = refine

    @cached_property
    def refined(self) -> Segmentation:
        """The same with refined probabilities, computed when it is first asked for."""
        probabilities = self._refine(self.photo, self.plain.probabilities)
        mask = probabilities.argmax(axis=0).astype(np.uint8)
        return replace(self.plain, mask=mask, probabilities=probabilities)


@dataclass(frozen=True)
class Finding:
    """One class in a photo.

    Attributes:
        rule: What to do with it.
        color: (R, G, B) in 0..255 of its pixels in the picture.
        share: Of the photo's area, in 0..1.
    """

    rule: ClassRule
    color: Sequence[int]
    share: float


def hide_unsure(found: Segmentation, confidence: float) -> Segmentation:
    """Return a segmentation whose pixels of a lower probability are ``IGNORE_INDEX``.

    Args:
        found: See there.
        confidence: In 0..1, compared with the probability of the pixel's class.
    """
    unsure = found.probabilities.max(axis=0) < confidence
    return replace(found, mask=np.where(unsure, np.uint8(IGNORE_INDEX), found.mask))


def list_findings(found: Segmentation, rules: SortingRules) -> list[Finding]:
    """Return what is in a photo, the largest first, without background and ignored pixels.

    Args:
        found: See :func:`hide_unsure`.
        rules: With a rule for every class but the background.
    """
    counts = np.bincount(found.mask.ravel(), minlength=IGNORE_INDEX + 1)
    findings = [
        Finding(
            rules.classes[found.classes.names[label]],
            found.classes.colors[label],
            counts[label] / found.mask.size,
        )
        for label in found.classes.foreground
        if counts[label]
    ]
    return sorted(findings, key=lambda finding: -finding.share)
