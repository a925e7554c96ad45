"""Photos beside labels: copies, hard links, or none."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from mmseg_custom.coco.write import require_inside
from mmseg_custom.utils import UserError, atomic_path

from .model import LabeledPhoto


def place_photos(
    photos: Sequence[LabeledPhoto], folder: Path, how: str, rename=lambda name: name
) -> list[str]:
    """Put photos into a folder, under their own names.

    Args:
        photos: The photos.
        folder: Where to.
        how: ``copy``, ``link`` or ``none``.
        rename: Returns the path in the folder of a file name.

    Returns:
        list[str]: A note about those that are not there, or none.
    """
    if how == 'none':
        return ['the photos were not copied']
    missing = 0
    for photo in photos:
        if photo.path is None:
            missing += 1
            continue
        with atomic_path(folder / rename(photo.file_name)) as temporary:
            if how == 'link':
                temporary.unlink()
                _link(photo.path, temporary)
            else:
                shutil.copyfile(photo.path, temporary)
    return [f'{missing} photos are not found: not copied'] if missing else []


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        # Another disk, or one without hard links.
        shutil.copyfile(source, target)


def label_names(photos: Sequence[LabeledPhoto], suffix: str, folder: Path) -> list[str]:
    """Return the file of labels of each photo: its name with another suffix.

    Raises:
        UserError: Two photos would have the same, or one leads out of the folder.
    """
    require_inside(folder, [photo.file_name for photo in photos])
    found: dict[str, str] = {}
    for photo in photos:
        name = PurePosixPath(photo.file_name).with_suffix(suffix).as_posix()
        if name in found:
            raise UserError(
                f'{found[name]} and {photo.file_name} would have the same labels, {name}; '
                'rename one'
            )
        found[name] = photo.file_name
    return list(found)


def root_of(photos: Sequence[LabeledPhoto]) -> Path | None:
    """Return the one folder that all photos have their names from, or None."""
    roots = set()
    for photo in photos:
        if photo.path is not None:
            depth = len(PurePosixPath(photo.file_name).parts)
            root = photo.path.absolute().parents[depth - 1]
            same = (root / photo.file_name) == photo.path.absolute()
            roots.add(root if same else None)
    return roots.pop() if len(roots) == 1 else None
