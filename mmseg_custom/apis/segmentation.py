"""What a segmenter says about one photo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco import mask_annotations
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.utils.likeliest import likeliest
from mmseg_custom.utils.non_finite import NonFiniteOutput
from mmseg_custom.visualization import overlay


@dataclass(frozen=True)
class Segmentation:
    """The classes in one photo.

    Attributes:
        mask: ``(H, W)`` uint8 labels.
        probabilities: ``(C, H, W)`` float32 in 0..1, summing to 1 over the classes.
        classes: What the labels mean.
    """

    mask: np.ndarray
    probabilities: np.ndarray
    classes: ClassList

    @classmethod
    def with_later_probabilities(
        cls, mask: np.ndarray, compute: Callable[[], np.ndarray], classes: ClassList
    ) -> 'Segmentation':
        """Return a result whose probabilities are computed when they are first asked for.

        Writing masks needs none, and they cost a tenth of the time of a small model.

        Args:
            mask: ``(H, W)`` uint8 labels.
            compute: Returns the probabilities, ``(C, H, W)`` float32; always the same.
            classes: What the labels mean.
        """
        result = cls.__new__(cls)
        vars(result).update(mask=mask, classes=classes, _compute=compute)
        return result

    def __getattr__(self, name: str) -> np.ndarray:
        """Compute probabilities that are not there yet; Python asks for nothing else here."""
        held = vars(self)
        if name == 'probabilities' and (compute := held.get('_compute')):
            held.update(probabilities=compute(), _compute=None)
        # Another thread may have come first.
        if name not in held:
            raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')
        return held[name]

    @property
    def confidence(self) -> np.ndarray:
        """Probability of each pixel's label, ``(H, W)`` float32 in 0..1."""
        labels = self.mask[None].astype(np.int64)
        return np.take_along_axis(self.probabilities, labels, axis=0)[0]

    @property
    def area_shares(self) -> dict[str, float]:
        """Fraction of the photo's area, in 0..1, of each class that was found, by its name."""
        counts = np.bincount(self.mask.ravel(), minlength=256)[: len(self.classes)]
        return {
            name: count / self.mask.size
            for name, count in zip(self.classes.names, counts.tolist(), strict=True)
            if count
        }

    def to_coco(self, image_id: int | str = 0, first_id: int = 0) -> list[dict]:
        """Return an annotation for each connected component of a class but the background.

        Painting them gives ``mask``.

        Args:
            image_id: The annotations' ``image_id``.
            first_id: Their ``id`` count up from here.

        Returns:
            list[dict]: COCO annotations with compressed RLE; ``category_id`` is the label.
        """
        found = mask_annotations(self.mask, self.classes)
        return [
            dict(id=first_id + number, image_id=image_id, **annotation)
            for number, annotation in enumerate(found)
        ]

    def refined(self, photo: np.ndarray, crf: DenseCrf) -> 'Segmentation':
        """Return what a dense CRF makes of it.

        Args:
            photo: ``(H, W, 3)`` uint8 RGB.
            crf: The CRF.
        """
        probabilities = crf(photo, self.probabilities, self.classes.background)
        mask = likeliest(probabilities)
        return replace(self, mask=mask, probabilities=probabilities)

    def overlay(self, photo: np.ndarray) -> np.ndarray:
        """Lay the colors of the classes over the photo.

        Args:
            photo: ``(H, W, 3)`` uint8 RGB.

        Returns:
            np.ndarray: ``(H, W, 3)`` uint8 RGB.
        """
        return overlay(photo, self.mask, self.classes)


class Segmenter(Protocol):
    """What predicts: :class:`~mmseg_custom.apis.TrashSegmenter` and those that do as it does."""

    classes: ClassList
    # Digests of all that decides over its results (mmseg_custom.utils.provenance).
    made_from: dict[str, Any]

    def batch(self, photos: Sequence[Any]) -> list[Segmentation]:
        """Segment ``(H, W, 3)`` uint8 RGB photos."""


def segment_named(segmenter: Segmenter, photo: np.ndarray, name: str) -> Segmentation:
    """Segment one photo; an output that is not finite is reported under the photo's name.

    Args:
        segmenter: The model.
        photo: ``(H, W, 3)`` uint8 RGB.
        name: Of the photo, as a person knows it.

    Raises:
        NonFiniteOutput: Names the model and the photo.
    """
    try:
        return segmenter.batch([photo])[0]
    except NonFiniteOutput as error:
        raise NonFiniteOutput.of(error.model, name) from None
