"""Photos whose probabilities are saved already: voting on them, refining them, measuring."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.classes import built_in
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.evaluation.mask_scores import MaskScores
from mmseg_custom.postprocess import hard_vote, soft_vote
from mmseg_custom.utils import UserError
from mmseg_custom.utils.parallel import in_threads

from .outputs import Outputs
from .photo_sources import PhotoSource, photo_name
from .probabilities import listed_names, path_of, read_probabilities


@dataclass(frozen=True)
class Voters:
    """Folders of probabilities that are one prediction together.

    Attributes:
        folders: What tools/predict.py wrote to.
        weights: One a folder.
        hard: Every folder votes for one class in each pixel, instead of sharing out its vote.
    """

    folders: Sequence[str]
    weights: Sequence[float]
    hard: bool = False

    def read(self, name: str) -> np.ndarray:
        """Return the probabilities of a photo, ``(C, H, W)`` float32.

        Raises:
            UserError: A folder lacks it, or they differ in size or classes.
        """
        paths = [path_of(folder, name) for folder in self.folders]
        members = [read_probabilities(path) for path in paths]
        for path, member in zip(paths, members, strict=True):
            if member.shape != members[0].shape:
                raise UserError(
                    f'{path}: is {member.shape}, {paths[0]} is {members[0].shape}: '
                    'predict the same photos with models of the same classes'
                )
        return (hard_vote if self.hard else soft_vote)(members, self.weights)

    def require(self, names: Iterable[str]) -> None:
        """Raise a UserError when a folder lacks one of the photos."""
        names = set(names)
        for folder in self.folders:
            missing = names - set(listed_names(folder))
            if missing:
                raise UserError(
                    f'{folder}: has no probabilities of {min(missing)} ({len(missing)} such '
                    'photos)',
                    kind='missing-probabilities',
                )


def finish_photos(photos: Sequence[PhotoSource], voters: Voters, outputs: Outputs) -> None:
    """Write the masks of photos, and refine them before if ``outputs`` says so.

    What is written already is not made again.

    Args:
        photos: What to write.
        voters: Where the probabilities are.
        outputs: Where to write.

    Raises:
        UserError: A photo or its probabilities cannot be read.
    """
    waiting = [photo for photo in photos if not outputs.are_there(photo.name)]
    needs_photo = outputs.crf is not None or outputs.overlays

    def finish(source: PhotoSource) -> None:
        probabilities = voters.read(source.name)
        photo = source.read() if needs_photo else None
        mask = probabilities.argmax(axis=0).astype(np.uint8)
        outputs.write(source.name, photo, Segmentation(mask, probabilities))

    for _ in in_threads(finish, waiting, 'finishing'):
        pass


def read_truths(path: str, data_root: str | None = None) -> dict[str, dict]:
    """Return the labelled images of a COCO file by the names that their photos have.

    Args:
        path: The file.
        data_root: Folder of its photos and masks; its own folder if None.

    Raises:
        UserError: The file cannot be used or has no labels.
    """
    samples = labelled_samples(path, built_in(), data_root)
    return {photo_name(sample['file_name']): sample for sample in samples}


def score_photos(
    truths: Mapping[str, dict], predict: Callable[[str], np.ndarray], what: str = 'measuring'
) -> dict[str, float]:
    """Measure the masks of labelled photos.

    Args:
        truths: See :func:`read_truths`.
        predict: Gives the ``(H, W)`` uint8 mask of the photo of a name.
        what: Named beside the progress.

    Returns:
        dict[str, float]: ``mIoU`` and ``mBoundaryIoU``, 0..1.
    """

    def count(name: str) -> MaskScores:
        scores = MaskScores(len(built_in()))
        scores.add(sample_mask(truths[name], Path(), built_in()), predict(name), name)
        return scores

    total = MaskScores(len(built_in()))
    for scores in in_threads(count, list(truths), what):
        total.merge(scores)
    return total.result()
