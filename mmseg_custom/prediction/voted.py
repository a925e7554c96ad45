"""Photos whose probabilities are saved already: voting on them, refining them, measuring."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.classes import ClassList, choose_classes
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.result_classes import read_classes
from mmseg_custom.coco.result_photos import photo_name
from mmseg_custom.evaluation.mask_scores import MaskScores
from mmseg_custom.postprocess import hard_vote, soft_vote
from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import Source
from mmseg_custom.utils.likeliest import likeliest
from mmseg_custom.utils.parallel import in_threads

from .outputs import Outputs
from .photo_sources import PhotoSource
from .probabilities import listed_names, path_of, read_probabilities
from .results import origin_of


@dataclass(frozen=True)
class Voters:
    """Folders of probabilities that are one prediction together.

    Attributes:
        folders: What tools/predict.py wrote to.
        weights: One a folder.
        hard: Every folder votes for one class in each pixel, instead of sharing out its vote.
        given: The classes that the command line gives, or None.
    """

    folders: Sequence[str]
    weights: Sequence[float]
    hard: bool = False
    given: ClassList | None = None

    @cached_property
    def classes(self) -> ClassList:
        """What the labels mean: what the folders note, or else what the command line gives.

        Raises:
            UserError: Two folders, or a folder and the command line, have different classes.
        """
        noted = [(folder, read_classes(folder)) for folder in self.folders]
        known = [(folder, classes) for folder, classes in noted if classes]
        for folder, classes in known[1:]:
            if not classes.is_same_as(known[0][1]):
                raise UserError(f'{known[0][0]}: has {known[0][1]}; {folder} has {classes}')
        if not known:
            return choose_classes(self.given)
        source, noted_list = known[0]
        return choose_classes(self.given, noted_list, source=source)

    def read(self, name: str) -> np.ndarray:
        """Return the probabilities of a photo, ``(C, H, W)`` float32.

        Raises:
            UserError: A folder lacks it, or they differ in size or classes.
        """
        paths = [path_of(folder, name) for folder in self.folders]
        members = [read_probabilities(path) for path in paths]
        for path, member in zip(paths, members, strict=True):
            if len(member) != len(self.classes):
                raise UserError(f'{path}: has {len(member)} classes; expected {self.classes}')
            if member.shape != members[0].shape:
                raise UserError(
                    f'{path}: is {member.shape}, {paths[0]} is {members[0].shape}: '
                    'predict the same photos with models of the same classes'
                )
        return (hard_vote if self.hard else soft_vote)(members, self.weights)

    def sources_of(self, photo: PhotoSource) -> list[Source]:
        """Return the files that the result of a photo is made from."""
        return [photo.path, *(path_of(folder, photo.name) for folder in self.folders)]

    def origins(self) -> dict[str, Any]:
        """Return what the folders are made from, as part of a provenance."""
        members = [origin_of(folder) for folder in self.folders]
        votes = dict(weights=list(self.weights), hard=self.hard)
        return dict(members=members, classes=self.classes.to_plain(), **votes)

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


def finish_photos(
    photos: Sequence[PhotoSource], voters: Voters, outputs: Outputs
) -> list[tuple[str, str]]:
    """Write the masks of photos, and refine them before if ``outputs`` says so.

    What is written already is not made again.

    Args:
        photos: What to write.
        voters: Where the probabilities are.
        outputs: Where to write.

    Returns:
        list[tuple[str, str]]: Name and reason of each photo that could not be read.

    Raises:
        UserError: Probabilities cannot be read.
    """
    waiting = [photo for photo in photos if not outputs.are_there(photo.name)]
    needs_photo = outputs.crf is not None or outputs.overlays

    def finish(source: PhotoSource) -> str | None:
        probabilities = voters.read(source.name)
        try:
            photo = source.read() if needs_photo else None
        except UserError as error:
            return str(error)
        mask = likeliest(probabilities)
        outputs.write(source.name, photo, Segmentation(mask, probabilities, voters.classes))
        return None

    reasons = in_threads(finish, waiting, 'finishing')
    return [(p.name, why) for p, why in zip(waiting, reasons, strict=True) if why]


def read_truths(path: str, classes: ClassList, data_root: str | None = None) -> dict[str, dict]:
    """Return the labeled images of a COCO file by the names that their photos have.

    Args:
        path: The file.
        classes: The classes that its categories are matched to.
        data_root: Folder of its photos and masks; its own folder if None.

    Raises:
        UserError: The file cannot be used or has no labels.
    """
    samples = labelled_samples(path, classes, data_root)
    return {photo_name(sample['file_name']): sample for sample in samples}


def score_photos(
    truths: Mapping[str, dict],
    predict: Callable[[str], np.ndarray],
    classes: ClassList,
    what: str = 'measuring',
) -> dict[str, float]:
    """Measure the masks of labeled photos.

    Args:
        truths: See :func:`read_truths`.
        predict: Gives the ``(H, W)`` uint8 mask of the photo of a name.
        classes: What the labels mean.
        what: Named beside the progress.

    Returns:
        dict[str, float]: ``mIoU`` and ``mBoundaryIoU``, 0..1.
    """

    def count(name: str) -> MaskScores:
        scores = MaskScores(len(classes))
        scores.add(sample_mask(truths[name], Path(), classes), predict(name), name)
        return scores

    total = MaskScores(len(classes))
    for scores in in_threads(count, list(truths), what):
        total.merge(scores)
    return total.result()
