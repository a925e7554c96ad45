"""Put COCO objects together in the contest's form, and check the names of files to write."""

import os
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import PurePosixPath, PureWindowsPath

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError

# Bytes of a file name; 255 are usual, and a temporary name is some longer.
LONGEST_NAME = 240


def make_coco(
    info: dict,
    licenses: Sequence[dict],
    photos: Iterable[tuple[dict, list]],
    classes: ClassList,
) -> dict:
    """Number photos and annotations from 0 and add the categories, as the contest's files do.

    Args:
        info: The object's ``info``.
        licenses: The object's ``licenses``.
        photos: ``(image entry, its annotations)``; ids they have are replaced.
        classes: All but the background become categories, and any other label that an
            annotation has.

    Returns:
        dict: A COCO object whose category ids are the labels. Where an image names a mask file,
        ``info`` has the names of ``classes``, in label order.
    """
    images, annotations = [], []
    for image, of_image in photos:
        images.append(dict(image, id=len(images)))
        for annotation in of_image:
            numbers = dict(id=len(annotations), image_id=len(images) - 1)
            # The numbers first in the file, as the contest has them, and over any that are there.
            annotations.append(numbers | annotation | numbers)
    others = {entry['category_id'] for entry in annotations} - set(classes.foreground)
    names = [(label, classes.title(label)) for label in (*classes.foreground, *sorted(others))]
    categories = [dict(id=label, name=name, supercategory=name) for label, name in names]
    if any(image.get('seg_map_path') is not None for image in images):
        # The labels in a mask file have no other names than these.
        info = info | dict(classes=list(classes.names))
    return dict(
        info=info,
        licenses=list(licenses),
        images=images,
        categories=categories,
        annotations=annotations,
    )


def require_inside(path: str | os.PathLike, names: Iterable[str]) -> None:
    """Raise when a file name would lead out of the folder that files are written to.

    Args:
        path: The annotation file, named in the message.
        names: Its file names, which have to be relative and without ``..``.

    Raises:
        UserError: Names the first that is not.
    """
    for name in names:
        if not _can_be_a_file(name):
            raise UserError(
                f'{path}: no file can have the file_name {name[:99]!r}: it has a character that no '
                'file system takes, or is too long'
            )
        for pure in (PurePosixPath(name), PureWindowsPath(name)):
            if pure.is_absolute() or pure.drive or '..' in pure.parts:
                raise UserError(
                    f'{path}: the file_name {name!r} leads out of the folder; write it relative '
                    'to the data folder and without ".."'
                )


def _can_be_a_file(name: str) -> bool:
    try:
        longest = max(map(len, name.encode().split(b'/')))
    except UnicodeEncodeError:
        return False
    return '\0' not in name and longest <= LONGEST_NAME


def new_ids(entries: Sequence[dict]) -> count:
    """Return the whole numbers above all ids (ids may be strings as well)."""
    return count(1 + max((e['id'] for e in entries if isinstance(e['id'], int)), default=-1))
