"""In which fold each photo of a set is."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError

from .read import read_coco, require_valid

VAL_NAME = re.compile(r'kfold_(\d+)_val\.json')


def fold_numbers(
    path: str | os.PathLike,
    samples: Sequence[dict],
    folder: str | os.PathLike,
    classes: ClassList,
) -> tuple[list[str], np.ndarray]:
    """Find in which validation fold each image of a set is.

    Args:
        path: The set's annotation file, named in messages.
        samples: Its images.
        folder: Holds ``kfold_0_val.json``, ``kfold_1_val.json``, …, which have the set's ids.
        classes: The classes that categories are matched to.

    Returns:
        tuple[list[str], np.ndarray]: Names of the folds; ``(images,)`` int64 places in them.

    Raises:
        UserError: No such files, or they are not a partition of the set.
    """
    files = _val_files(folder)
    rows = {(sample['img_id'], sample['file_name']): row for row, sample in enumerate(samples)}
    fold_of = np.full(len(samples), -1, np.int64)
    for fold, file in enumerate(files.values()):
        content = read_coco(file)
        require_valid(file, content, classes)
        for image in content['images']:
            row = rows.get((image['id'], image['file_name']))
            if row is None or fold_of[row] >= 0:
                what = f'is not in {path}' if row is None else 'is in another fold, too'
                raise UserError(
                    f'{file}: image {image["id"]} ({image["file_name"]}) {what}; '
                    'give the folds of this one file'
                )
            fold_of[row] = fold
    if (fold_of < 0).any():
        name = samples[int(fold_of.argmin())]['file_name']
        raise UserError(f'{folder}: {name} of {path} is in none of the folds; give all of them')
    return [f'fold {number}' for number in files], fold_of


def _val_files(folder: str | os.PathLike) -> dict[int, Path]:
    """Return the validation files by their number, ascending."""
    matches = ((VAL_NAME.fullmatch(path.name), path) for path in Path(folder).iterdir())
    files = {int(match[1]): path for match, path in matches if match}
    if not files:
        raise UserError(f'{folder}: has no kfold_0_val.json', kind='missing-folds')
    return dict(sorted(files.items()))
