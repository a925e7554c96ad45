"""Whether masks in a folder are of the classes and photos that they are used with."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import fingerprint
from mmseg_custom.utils.parallel import in_threads
from mmseg_custom.utils.provenance import FILE, read_provenance

from .readable import unreadable_photos
from .result_classes import noted_beside, read_classes


def photo_name(file_name: str | PurePath) -> str:
    """Return the name under which the results of a photo are written."""
    return PurePath(file_name).with_suffix('').as_posix()


def require_masks_of(
    folder: str | os.PathLike, classes: ClassList, photos: Mapping[str, str | os.PathLike]
) -> None:
    """Compare what is noted beside masks with what they are to be used with.

    One line is printed where nothing is noted of some photos, whose masks are found by name only.

    Args:
        folder: Masks that predict.py, test.py, crf.py or another command wrote.
        classes: What the labels are to mean.
        photos: The file of each photo by its path below the folder of the photos.

    Raises:
        UserError: The masks are of other classes, or a photo is not the one that was predicted.
    """
    noted = read_classes(folder)
    if noted and not noted.is_same_as(classes):
        raise UserError(f'{folder}: has results of {noted}; these photos are of {classes}')
    known = _noted_photos(folder)
    pairs = [(Path(path), known.get(photo_name(name))) for name, path in photos.items()]
    unknown = sum(before is None for _, before in pairs)
    if unknown:
        print(
            f'{folder}: of {unknown} of {len(photos)} photos no {FILE} says what their masks are '
            'made from: they are taken by name'
        )
    looked_at = [(path, before) for path, before in pairs if before is not None]

    def differs(pair: tuple[Path, list]) -> bool:
        now = fingerprint(pair[0], None, verify=True)
        # A photo that is missing or broken is named where it is read.
        return now is not None and now[2] != pair[1][2] and not unreadable_photos(pair[:1])

    for (path, _), is_other in zip(
        looked_at, in_threads(differs, looked_at, 'comparing', silent=True), strict=True
    ):
        if is_other:
            raise UserError(f'{path}: is not the photo that the mask in {folder} was made from')


def _noted_photos(folder: str | os.PathLike) -> dict[str, list]:
    """Return the fingerprint of each photo that masks were made from, by its name."""
    path = noted_beside(folder, FILE)
    found = read_provenance(path) if path else None
    sources = found['sources'] if found else {}
    # The photo comes first; none where it could not be read.
    return {name: files[0] for name, files in sources.items() if files and files[0]}
