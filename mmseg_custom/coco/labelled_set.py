"""Several annotation files as one set of labeled photos, and the folds it was split into."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError

from .choose import classes_of_files
from .fold_numbers import fold_numbers
from .photo_root import photo_root
from .read import coco_to_samples, read_coco, require_valid
from .readable import require_photos, unreadable_photos


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
            UserError: A photo is missing, or none can be read; gives the reason of the first.
        """
        paths = [sample['img_path'] for sample in self.samples]
        require_photos(paths)
        problems = unreadable_photos(paths)
        places = [place for place in range(len(self.samples)) if place not in problems]
        if not places:
            raise UserError(problems[0])
        skipped = [(self.samples[place]['file_name'], why) for place, why in problems.items()]
        return self._only(places), skipped

    def evenly(self, count: int) -> 'LabelledSet':
        """Return a set of at most ``count`` of the photos, evenly spaced."""
        total = len(self.samples)
        count = min(count, total)
        return self._only([place * total // count for place in range(count)])

    def _only(self, places: Sequence[int]) -> 'LabelledSet':
        samples = [self.samples[place] for place in places]
        return replace(self, samples=samples, group_of=self.group_of[list(places)])


def open_set(
    paths: Sequence[str],
    classes: str | None = None,
    class_map: str | None = None,
    data_root: str | None = None,
    folds: str | None = None,
) -> tuple[LabelledSet, ClassList, list[dict[str, Any]]]:
    """Read annotation files as one set, with the classes that fit them.

    Args:
        paths: The files.
        classes: See :func:`~mmseg_custom.coco.classes_of_files`.
        class_map: See there.
        data_root: See :func:`read_set`.
        folds: See there.

    Returns:
        tuple: The set; its classes; the parsed JSON of each file.

    Raises:
        UserError: A file cannot be used.
    """
    contents: dict[str | os.PathLike, dict] = {path: read_coco(path) for path in paths}
    chosen = classes_of_files(contents, classes, class_map)
    parsed = [contents[path] for path in paths]
    return read_set(paths, chosen, data_root, folds, parsed), chosen, parsed


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
