"""What is kept of each photo that could be labeled next."""

import os
import zipfile
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch

from mmseg_custom.apis.ensemble import EnsembleSegmenter
from mmseg_custom.apis.segmentation import Segmentation, Segmenter
from mmseg_custom.apis.segmenter import TrashSegmenter
from mmseg_custom.coco.near_duplicates import gray_hash
from mmseg_custom.utils import UserError
from mmseg_custom.utils.likeliest import likeliest
from mmseg_custom.utils.npz import write_npz

from .uncertainty import MEASURES, PhotoUncertainty, photo_uncertainty

BROKEN = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)


@dataclass(frozen=True)
class PoolResult(Segmentation):
    """A segmentation, and what it was made of.

    Attributes:
        members: ``(M, C, H, W)`` float32 probabilities of each model; of a single model, those of
            the photo and of its mirror image.
        feature: ``(d,)`` float32 mean over the pixels of the first model's deepest features.
    """

    members: np.ndarray
    feature: np.ndarray


class PoolSegmenter:
    """One or several models that say how far they agree.

    Args:
        segmenters: At least one; all know the same classes.

    Attributes:
        labeler: What labels a photo that is chosen: the model, or the models' vote.

    Raises:
        UserError: Models of different classes, or the first has no backbone.
    """

    def __init__(self, segmenters: Sequence[TrashSegmenter]):
        voted = EnsembleSegmenter(segmenters)
        self.classes = voted.classes
        self.made_from: dict[str, Any] = voted.made_from
        self.segmenters = segmenters
        self.labeler: Segmenter = segmenters[0] if len(segmenters) == 1 else voted
        if not isinstance(getattr(segmenters[0].model, 'backbone', None), torch.nn.Module):
            raise UserError(f'{segmenters[0].name}: the model has no backbone to take features of')

    def batch(self, photos: Sequence[np.ndarray]) -> list[PoolResult]:
        """Segment ``(H, W, 3)`` uint8 RGB photos, one after the other."""
        return [self._one(photo) for photo in photos]

    def _one(self, photo: np.ndarray) -> PoolResult:
        first, *others = self.segmenters
        with _outputs_of(first.model.backbone) as outputs:
            members = [first.batch([photo])[0].probabilities]
        members += [other.batch([photo])[0].probabilities for other in others]
        if not others:
            mirrored = first.batch([np.ascontiguousarray(photo[:, ::-1])])[0]
            members.append(mirrored.probabilities[..., ::-1])
        stacked = np.stack(members)
        mean = stacked.mean(axis=0)
        mask = likeliest(mean)
        return PoolResult(mask, mean, self.classes, stacked, _pooled(outputs[0], first.name))


@contextmanager
def _outputs_of(backbone: torch.nn.Module):
    outputs: list[Any] = []
    hook = backbone.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    try:
        yield outputs
    finally:
        hook.remove()


def _pooled(output: Any, name: str) -> np.ndarray:
    deepest = output[-1] if isinstance(output, list | tuple) else output
    if not isinstance(deepest, torch.Tensor) or deepest.ndim != 4:
        raise UserError(f'{name}: the backbone gives no feature maps of (N, C, H, W)')
    return deepest[0].float().mean(dim=(1, 2)).cpu().numpy()


@dataclass(frozen=True)
class PoolPhoto:
    """What is kept of a photo.

    Attributes:
        uncertainty: By measure.
        feature: ``(d,)`` float32.
        look: ``(64,)`` bool difference hash.
    """

    uncertainty: dict[str, PhotoUncertainty]
    feature: np.ndarray
    look: np.ndarray


@dataclass(frozen=True)
class PoolFiles:
    """A folder that :func:`~mmseg_custom.prediction.predict.predict_photos` writes to.

    Attributes:
        folder: Gets ``NAME.npz`` of some kilobytes for each photo.
    """

    folder: Path
    need_probabilities: ClassVar[bool] = True

    def path(self, name: str) -> Path:
        """Return the file of a photo."""
        return self.folder / f'{name}.npz'

    def every_path(self, name: str) -> list[Path]:
        """Return all files that a photo may have."""
        return [self.path(name)]

    def are_there(self, name: str) -> bool:
        """Return whether a photo is done."""
        return self.path(name).is_file()

    def write(
        self, name: str, photo: np.ndarray, result: PoolResult, size: tuple[int, int] | None = None
    ) -> None:
        """Write the file of one photo.

        Args:
            name: Its name.
            photo: ``(H, W, 3)`` uint8 RGB.
            result: What was found in it.
            size: Not used: what is kept has no size.
        """
        found = [photo_uncertainty(result.members, measure) for measure in MEASURES]
        write_npz(
            self.path(name),
            by_class=np.stack([one.by_class for one in found]),
            shares=found[0].shares,
            feature=result.feature,
            look=gray_hash(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)),
        )

    def read(self, name: str) -> PoolPhoto:
        """Return what is kept of a photo.

        Raises:
            UserError: The file is incomplete.
        """
        path = self.path(name)
        try:
            with np.load(os.fspath(path)) as archive:
                rows, shares = archive['by_class'], archive['shares']
                feature, look = archive['feature'], archive['look']
        except BROKEN:
            raise UserError(f'{path}: is cut short; delete it and run the same again') from None
        found = {
            measure: PhotoUncertainty(row, shares)
            for measure, row in zip(MEASURES, rows, strict=True)
        }
        return PoolPhoto(found, feature, look)
