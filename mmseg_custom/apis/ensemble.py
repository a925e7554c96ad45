"""Several models as one."""

from collections.abc import Sequence
from typing import Any

from mmseg_custom.apis.segmentation import Segmenter
from mmseg_custom.postprocess import hard_vote, soft_vote
from mmseg_custom.utils import UserError
from mmseg_custom.utils.likeliest import likeliest

from .segmentation import Segmentation
from .segmenter import TrashSegmenter


class EnsembleSegmenter:
    """Lets several segmenters vote; is used as one of them is.

    Args:
        segmenters: At least one; all know the same classes.
        weights: One a segmenter, not negative; None: all weigh the same.
        hard: Every model votes for one class in each pixel, instead of sharing out its vote.

    Raises:
        UserError: Other numbers of weights, only zeros, or models of different classes.
    """

    def __init__(
        self,
        segmenters: Sequence[Segmenter],
        weights: Sequence[float] | None = None,
        hard: bool = False,
    ):
        self.weights = checked_weights(weights, len(segmenters))
        self.classes = segmenters[0].classes
        for other in segmenters:
            if not other.classes.is_same_as(self.classes):
                raise UserError(
                    f'the models of an ensemble know different classes: {self.classes}, and '
                    f'{other.classes}'
                )
        self.segmenters = segmenters
        self._vote = hard_vote if hard else soft_vote
        models = [segmenter.made_from for segmenter in segmenters]
        self.made_from = dict(models=models, weights=self.weights, hard=hard)

    def __call__(self, photo) -> Segmentation:
        """Segment one photo; see :class:`~mmseg_custom.apis.TrashSegmenter`."""
        return self.batch([photo])[0]

    def batch(self, photos: Sequence) -> list[Segmentation]:
        """Segment several photos; see :class:`~mmseg_custom.apis.TrashSegmenter`."""
        of_models = [segmenter.batch(photos) for segmenter in self.segmenters]
        return [self._voted(results) for results in zip(*of_models, strict=True)]

    def _voted(self, results: Sequence[Segmentation]) -> Segmentation:
        probabilities = self._vote([result.probabilities for result in results], self.weights)
        mask = likeliest(probabilities)
        return Segmentation(mask, probabilities, self.classes)


def build_segmenter(
    members: Sequence[tuple[str, str]],
    weights: Sequence[float] | None = None,
    device: str | None = None,
    tta: str | None = None,
    hard: bool = False,
    classes: Any = None,
) -> Segmenter:
    """Return one segmenter for one or several models.

    Args:
        members: Config and checkpoint of each.
        weights: See :class:`EnsembleSegmenter`.
        device: See :class:`~mmseg_custom.apis.TrashSegmenter`.
        tta: See :class:`~mmseg_custom.apis.TrashSegmenter`.
        hard: See :class:`EnsembleSegmenter`.
        classes: See :class:`~mmseg_custom.apis.TrashSegmenter`.
    """
    weights = checked_weights(weights, len(members))
    segmenters = [TrashSegmenter(*member, device, tta, classes) for member in members]
    return segmenters[0] if len(members) == 1 else EnsembleSegmenter(segmenters, weights, hard)


def checked_weights(weights: Sequence[float] | None, members: int) -> list[float]:
    """Return one weight a member.

    Args:
        weights: As given, or None.
        members: Their number.

    Raises:
        UserError: Another number of weights, a negative one, or only zeros.
    """
    weights = [1.0] * members if weights is None else [float(weight) for weight in weights]
    if len(weights) != members:
        raise UserError(f'{len(weights)} weights for {members} members; give one for each')
    if min(weights) < 0 or not 0 < sum(weights) < float('inf'):
        raise UserError(f'weights {weights}: each must be at least 0, and one above 0')
    return weights
