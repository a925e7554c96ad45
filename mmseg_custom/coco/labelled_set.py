"""Several annotation files as one set of labeled photos, and the folds it was split into."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError

from .photo_root import photo_root
from .read import coco_to_samples, read_coco, require_valid
from .readable import unreadable_photos

VAL_NAME = re.compile(r'kfold_(\d+)_val\.json')


@dataclass(frozen=True)
class LabelledSet:
    """Labeled photos.

    Attributes:
        files: ``path`` and number of ``images`` of each file.
        samples: Of all files, see :func:`labelled_samples`.
        groups: Names of the files or folds to compare; empty when there is one file alone.
        group_of: ``(images,)`` int64 group of each image.
    """

    files: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    groups: list[str]
    group_of: np.ndarray

    def readable(self) -> tuple['LabelledSet', list[tuple[str, str]]]:
        """Leave out the photos that cannot be read.

        Returns:
            tuple[LabelledSet, list[tuple[str, str]]]: The set without them, and name and reason of
            each.

        Raises:
            UserError: None can be read; gives the reason of the first.
        """
        problems = unreadable_photos([sample['img_path'] for sample in self.samples])
        places = [place for place in range(len(self.samples)) if place not in problems]
        if not places:
            raise UserError(problems[0])
        samples = [self.samples[place] for place in places]
        skipped = [(self.samples[place]['file_name'], why) for place, why in problems.items()]
        return replace(self, samples=samples, group_of=self.group_of[places]), skipped


def read_set(
    paths: Sequence[str],
    classes: ClassList,
    data_root: str | None = None,
    folds: str | None = None,
    contents: Sequence[dict] | None = None,
) -> LabelledSet:
    """Read annotation files as one set.

    Args:
        paths: The files.
        classes: The classes that categories are matched to.
        data_root: Folder of the photos and masks; see
            :func:`~mmseg_custom.coco.photo_root.photo_root`.
        folds: Folder of the folds that the one file was split into.
        contents: The parsed JSON files, where they were read before.

    Raises:
        UserError: A file cannot be used, or ``folds`` are not of the one file.
    """
    contents = [read_coco(path) for path in paths] if contents is None else contents
    of_file = [
        labelled_samples(path, classes, data_root, content)
        for path, content in zip(paths, contents, strict=True)
    ]
    numbers = [len(samples) for samples in of_file]
    files = [dict(path=path, images=n) for path, n in zip(paths, numbers, strict=True)]
    samples = list(chain(*of_file))
    groups, group_of = list(paths), np.repeat(np.arange(len(paths)), numbers)
    if folds is not None:
        if len(paths) > 1:
            raise UserError(f'{folds}: are folds of one file: leave out {" ".join(paths[1:])}')
        groups, group_of = fold_numbers(paths[0], samples, folds, classes)
    return LabelledSet(files, samples, groups if len(groups) > 1 else [], group_of)


def labelled_samples(
    path: str | os.PathLike,
    classes: ClassList,
    data_root: str | os.PathLike | None = None,
    content: dict | None = None,
) -> list[dict[str, Any]]:
    """Read an annotation file of which every image is labeled.

    Args:
        path: The file.
        classes: The classes that categories are matched to.
        data_root: Folder of its photos and masks; see
            :func:`~mmseg_custom.coco.photo_root.photo_root`.
        content: The parsed JSON, where it was read before.

    Returns:
        list[dict]: What :func:`~mmseg_custom.coco.coco_to_samples` gives, and ``img_path``; it and
        ``seg_map_path`` have the folder before them.

    Raises:
        UserError: The file is not valid, lists no image, or has no labels.
    """
    content = read_coco(path) if content is None else content
    require_valid(path, content, classes)
    root = photo_root(path, content, data_root)
    samples = coco_to_samples(content, classes)
    if not samples:
        raise UserError(f'{path}: lists no image; give a file with images')
    for sample in samples:
        sample['img_path'] = str(root / sample['file_name'])
        if 'seg_map_path' in sample:
            sample['seg_map_path'] = str(root / sample['seg_map_path'])
        elif 'annotations' not in sample:
            raise UserError(f'{path}: has no "annotations", so that no classes are known; label it')
    return samples


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
