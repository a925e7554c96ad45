"""What a model loses against the one that it was made from."""

import os
from collections.abc import Sequence

import numpy as np

from mmseg_custom.apis.exported_segmenter import ExportedSegmenter
from mmseg_custom.apis.parity import compare
from mmseg_custom.apis.segmentation import Segmenter

from .model_scores import score_model


class ModelLoss:
    """Measures points of mIoU, or percent of the pixels that get another class.

    Args:
        exact: The model.
        photos: ``(H, W, 3)`` uint8 RGB; not needed with annotations.
        annotations: A COCO file to measure mIoU on; None: count pixels.

    Attributes:
        unit (str): What is measured, for people.
    """

    def __init__(
        self,
        exact: Segmenter,
        photos: Sequence[np.ndarray],
        annotations: str | os.PathLike | None = None,
    ):
        self.exact, self.photos, self.annotations = exact, photos, annotations
        self.unit = '% of the pixels changed'
        if annotations is not None:
            self.before = score_model(exact, annotations, None).miou
            self.unit = f'points of mIoU ({self.before:.1f} in float)'

    def __call__(self, segmenter: ExportedSegmenter) -> float:
        """Measure one model.

        Args:
            segmenter: What became of it.
        """
        if self.annotations is not None:
            return self.before - score_model(segmenter, self.annotations, None).miou
        return 100 * (1 - compare(self.exact, segmenter, [[photo] for photo in self.photos]).equal)
