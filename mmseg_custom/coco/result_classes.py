"""Note beside results what their labels mean, and read it back."""

import json
import os
from pathlib import Path

from mmseg_custom.classes import ClassList, class_list
from mmseg_custom.utils import UserError, write_json

NAME, MASKS = 'classes.json', 'masks'


def write_classes(folder: str | os.PathLike, classes: ClassList, replace: bool = False) -> None:
    """Note what the labels in a folder of results mean.

    Args:
        folder: Has, or gets, ``masks``, ``probabilities``, and so on.
        classes: The class list.
        replace: Write over the note of other classes, as all results are written again.

    Raises:
        UserError: The folder has results of other classes.
    """
    there = read_classes(folder)
    if there and not replace and not there.is_same_as(classes):
        raise UserError(f'{folder}: has results of {there}; these are of {classes}')
    write_json(Path(folder, NAME), classes.to_plain())


def noted_beside(folder: str | os.PathLike, name: str) -> Path | None:
    """Return a file of notes about results, or None.

    Args:
        folder: The folder of the results; or its ``masks``, in which the file may be as well.
        name: The name of the file.
    """
    folder = Path(folder)
    places = [folder, folder.resolve().parent] if folder.name == MASKS else [folder]
    return next((place / name for place in places if (place / name).is_file()), None)


def read_classes(folder: str | os.PathLike) -> ClassList | None:
    """Return what the labels in a folder of results mean, None where it was not noted.

    Args:
        folder: See :func:`write_classes`; or its ``masks``.

    Raises:
        UserError: The note cannot be read.
    """
    path = noted_beside(folder, NAME)
    if path is None:
        return None
    try:
        return class_list(json.loads(path.read_text(encoding='utf-8')), str(path))
    except ValueError:
        raise UserError(f'{path}: does not parse as JSON') from None
