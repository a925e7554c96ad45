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


def read_classes(folder: str | os.PathLike) -> ClassList | None:
    """Return what the labels in a folder of results mean, None where it was not noted.

    Args:
        folder: See :func:`write_classes`; or its ``masks``.

    Raises:
        UserError: The note cannot be read.
    """
    path = Path(folder, NAME)
    if Path(folder).name == MASKS and not path.is_file():
        path = Path(folder).resolve().parent / NAME
    if not path.is_file():
        return None
    try:
        return class_list(json.loads(path.read_text(encoding='utf-8')), str(path))
    except ValueError:
        raise UserError(f'{path}: does not parse as JSON') from None
