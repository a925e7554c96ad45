"""An exported model as a function of a photo, in whichever format; needs no PyTorch."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.classes import ClassList, choose_classes, class_list
from mmseg_custom.coco.photos import Photo, to_rgb
from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import digest_of_file
from mmseg_custom.utils.likeliest import likeliest
from mmseg_custom.utils.non_finite import NonFiniteOutput

from .segmentation import Segmentation

FORMAT = 1


class ExportedSegmenter(ABC):
    """Finds the classes in photos with a file that ``tools/export.py`` wrote, on the CPU.

    Called like :class:`~mmseg_custom.apis.TrashSegmenter`, and by several threads as well.

    Args:
        file: The file; those that belong to it are beside it.
        classes: See :func:`~mmseg_custom.classes.class_list`; None: those that the file carries.

    Attributes:
        classes (ClassList): What the labels mean.
        has_probabilities: False for a model that was exported with ``--argmax``. Its
            ``probabilities`` are 1 for the class in the mask and 0 for the others.

    Raises:
        UserError: The package that runs it is missing, or the file is missing, damaged, not ours,
            or of other classes.
    """

    has_probabilities = True

    def __init__(self, file: str | os.PathLike, classes: Any = None):
        for path in self.files(file):
            if not path.is_file():
                raise UserError(f'{path}: no such model')
        metadata = self._open(Path(file))
        if metadata.get('format') != str(FORMAT):
            raise UserError(
                f'{file}: was not exported by this version of trash-seg; export it again'
            )
        self.classes = choose_classes(
            None if classes is None else class_list(classes),
            _classes_in(metadata, os.fspath(file)),
            source=os.fspath(file),
        )
        self.name = os.fspath(file)
        weights = [digest_of_file(path) for path in self.files(file)]
        self.made_from = dict(
            weights=weights[0] if len(weights) == 1 else weights, classes=self.classes.to_plain()
        )

    @staticmethod
    def files(file: str | os.PathLike) -> list[Path]:
        """Return all files of the model, the named one first.

        Args:
            file: The named one.
        """
        return [Path(file)]

    @abstractmethod
    def _open(self, file: Path) -> Mapping[str, str]:
        """Load the model, and return what the export wrote about it."""

    @abstractmethod
    def _infer(self, photos: np.ndarray) -> np.ndarray:
        """Return probabilities ``(N, C, H, W)`` float32, or labels ``(N, H, W)`` uint8.

        Args:
            photos: ``(N, 3, H, W)`` uint8 RGB.
        """

    def __call__(self, photo: Photo) -> Segmentation:
        """Segment one photo; see :meth:`TrashSegmenter.__call__`.

        Args:
            photo: A file, a Pillow image, or an ``(H, W, 3)`` uint8 RGB array.

        Raises:
            UserError: The file is missing or broken, or the array has another form.
        """
        return self.batch([photo])[0]

    def batch(self, photos: Sequence[Photo]) -> list[Segmentation]:
        """Segment several photos of one size in one pass; photos of different sizes in turn.

        Args:
            photos: See :meth:`__call__`.

        Returns:
            list[Segmentation]: In the same order.

        Raises:
            UserError: See :meth:`__call__`, or the model fails at photos of this size.
        """
        arrays = [to_rgb(photo).transpose(2, 0, 1) for photo in photos]
        if len({array.shape for array in arrays}) > 1:
            return [self._run(array[None])[0] for array in arrays]
        return self._run(np.stack(arrays)) if arrays else []

    def _run(self, photos: np.ndarray) -> list[Segmentation]:
        """Segment ``(N, 3, H, W)`` uint8 RGB."""
        try:
            found = self._infer(np.ascontiguousarray(photos))
        except Exception as error:
            # The errors of the runtimes have no class in common but this.
            reason = str(error).strip().partition('\n')[0]
            raise UserError(
                f'{self.name}: cannot segment photos of the form {photos.shape}: {reason}'
            ) from error
        if self.has_probabilities:
            self._require_finite(found)
            masks = [likeliest(probabilities) for probabilities in found]
        else:
            masks, found = list(found), _one_hot(found, len(self.classes))
        return [
            Segmentation(mask, probabilities, self.classes)
            for mask, probabilities in zip(masks, found, strict=True)
        ]

    def _require_finite(self, probabilities: np.ndarray) -> None:
        strange = ~np.isfinite(probabilities).all(axis=(1, 2, 3))
        if strange.any():
            raise NonFiniteOutput.of(self.name, f'photo {int(strange.argmax()) + 1} of the batch')


def cpu_threads() -> int:
    """Return how many threads a model computes with.

    As many as there are cores for this process, or what the variable ``OMP_NUM_THREADS`` says, as
    in PyTorch.
    """
    wanted = os.environ.get('OMP_NUM_THREADS', '')
    return int(wanted) if wanted.isdigit() and int(wanted) else len(os.sched_getaffinity(0))


def _classes_in(metadata: Mapping[str, str], file: str) -> ClassList:
    if 'class_list' in metadata:
        return class_list(json.loads(metadata['class_list']), file)
    # Files of version 0.1 have no more than this.
    metainfo = {key: json.loads(metadata[key]) for key in ('classes', 'palette')}
    return class_list(metainfo, file)


def _one_hot(masks: np.ndarray, num_classes: int) -> np.ndarray:
    """Return ``(N, C, H, W)`` float32 for labels ``(N, H, W)``."""
    return (masks[:, None] == np.arange(num_classes)[:, None, None]).astype(np.float32)
