"""Continue a folder of results, if they were made from the same things."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.utils.digests import Source, digest_of_data
from mmseg_custom.utils.provenance import FILE, Provenance, announce, read_provenance

from .photo_sources import PhotoSource


class ResultFiles(Protocol):
    """The files of results by photo."""

    def are_there(self, name: str) -> bool:
        """Return whether a photo is done."""

    def every_path(self, name: str) -> list[Path]:
        """Return all files that a photo may have."""


class PredictedFiles(ResultFiles, Protocol):
    """The files of results that are written while a model predicts.

    Attributes:
        need_probabilities: Whether more than the labels decides over what is written.
    """

    @property
    def need_probabilities(self) -> bool: ...

    def write(
        self,
        name: str,
        photo: np.ndarray,
        result: Segmentation,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Write the files of one photo; see :meth:`~.outputs.Outputs.write`."""


def photo_itself(photo: PhotoSource) -> list[Source]:
    """Return what a prediction is made from: the photo."""
    return [photo.path]


def continue_results(
    provenance: Provenance,
    files: ResultFiles,
    photos: Sequence[PhotoSource],
    sources_of: Callable[[PhotoSource], Sequence[Source]] = photo_itself,
    *,
    summaries: Sequence[str] = ('predictions.json',),
    force: bool = False,
    verify: bool = False,
    dry_run: bool = False,
) -> bool:
    """Keep results that are still right, and delete those of something else.

    Args:
        provenance: What the results are to be made from; written unless ``dry_run``.
        files: Where the results are.
        photos: What is predicted.
        sources_of: Returns the files that one result is made from.
        summaries: Files of the folder that describe all results.
        force: Start over where results of something else are there.
        verify: Read every source, also where its size and time are as before.
        dry_run: Only print what would be made.

    Returns:
        bool: False after a dry run.

    Raises:
        OtherProvenance: The folder holds results of something else, and not ``force``.
    """
    expected = [path for photo in photos for path in files.every_path(photo.name)]
    foreign = provenance.open(expected, force)
    changed = provenance.update({photo.name: sources_of(photo) for photo in photos}, verify)
    there = {name: [p for p in files.every_path(name) if p.exists()] for name in changed}
    outdated = [name for name in changed if there[name]]
    if dry_run:
        kept = sum(files.are_there(p.name) for p in photos if p.name not in set(changed))
        print(f'{len(photos) - kept} photos would be predicted, {kept} are done')
        return False
    announce(outdated, foreign)
    for name in {*changed, *foreign}:
        for path in files.every_path(name):
            path.unlink(missing_ok=True)
    if changed or foreign:
        for summary in summaries:
            (provenance.file.parent / summary).unlink(missing_ok=True)
    provenance.save()
    return True


def origin_of(folder: str | Path) -> dict[str, Any]:
    """Return what the results in an input folder are made from, to be kept as ``made_from``."""
    found = read_provenance(Path(folder, FILE))
    if found is None:
        print(f'{folder}: no {FILE} there; its results are known by their content only')
        return digest_of_data(None, 'unknown')
    return dict(command=found['command'], **found['made_from'])
