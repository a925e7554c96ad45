"""Labels of a model and their confidence, one file a photo."""

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.prediction.label_size import resized_labels
from mmseg_custom.utils import UserError
from mmseg_custom.utils.npz import write_npz

# Confidence is kept in steps of 1 / LEVELS, so that it can be counted, and counted alike by all.
LEVELS = 65535
BROKEN = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)


@dataclass(frozen=True)
class ConfidenceFiles:
    """A folder that :func:`~mmseg_custom.prediction.predict.predict_photos` writes to.

    Attributes:
        folder: Gets ``NAME.npz`` with ``labels``, ``(H, W)`` uint8, and ``confidence``, ``(H, W)``
            uint16: the model's probability of the label, times 65535, rounded.
        crf: Chooses the labels; None: the likeliest are taken. The confidence is always the
            model's, since a CRF is sure of nearly everything; where the two disagree it is low.
    """

    folder: Path
    crf: DenseCrf | None = None
    need_probabilities: ClassVar[bool] = True

    def path(self, name: str) -> Path:
        """Return the file of a photo."""
        return self.folder / f'{name}.npz'

    def every_path(self, name: str) -> list[Path]:
        """Return all files that a photo may have."""
        return [self.path(name), self.folder.parent / 'masks' / f'{name}.png']

    def are_there(self, name: str) -> bool:
        """Return whether a photo is done."""
        return self.path(name).is_file()

    def write(
        self,
        name: str,
        photo: np.ndarray,
        result: Segmentation,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Write the file of one photo.

        Args:
            name: Its name.
            photo: ``(H, W, 3)`` uint8 RGB.
            result: What was found in it.
            size: Height and width to write; None: those of the result.
        """
        labels = result.mask
        if self.crf is not None:
            labels = result.refined(photo, self.crf).mask
        of_label = replace(result, mask=labels).confidence
        confidence = np.rint(of_label * LEVELS).astype(np.uint16)
        if size is not None:
            labels, confidence = (resized_labels(a, size) for a in (labels, confidence))
        write_npz(self.path(name), labels=labels, confidence=confidence)

    def read(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and confidence of a photo.

        Raises:
            UserError: The file is incomplete.
        """
        path = self.path(name)
        try:
            with np.load(path) as archive:
                return archive['labels'], archive['confidence']
        except BROKEN:
            raise UserError(f'{path}: is cut short; delete it and run the same again') from None
