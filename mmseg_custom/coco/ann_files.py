"""The annotation files that a path stands for: a file, several, a folder, or a glob pattern."""

import glob
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from mmseg_custom.utils import UserError
from mmseg_custom.utils.addresses import why_not_plain
from mmseg_custom.utils.listing import listing
from mmseg_custom.utils.remote import is_dir, is_file, local_path, matches

from .photo_root import AnnPath


class AnnFiles(os.PathLike):
    """Several annotation files that are read as one.

    As a path it is the folder that all of them are below, which joined file names are relative to.

    Args:
        paths: Files, folders and glob patterns.
    """

    def __init__(self, paths: Sequence[AnnPath]):
        self.paths = tuple(os.fspath(path) for path in paths)

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files, in the given order.

        Raises:
            UserError: A path stands for no file, or a file is named twice.
        """
        found = [file for path in self.paths for file in annotation_files(path)]
        seen: set[str] = set()
        for file in found:
            if os.path.realpath(file) in seen:
                raise UserError(f'{file}: is named twice; name each annotation file once')
            seen.add(os.path.realpath(file))
        return tuple(found)

    def __fspath__(self) -> str:
        """Return the folder that all files are below."""
        return os.path.commonpath([os.path.abspath(file.parent) for file in self.files])

    def __str__(self) -> str:
        """Return the given paths for a message."""
        return listing(self.paths, 2)


def annotation_files(path: AnnPath) -> list[Path]:
    """Return the files that a path stands for.

    Args:
        path: A file; :class:`AnnFiles`; a folder, whose sub-folders have one JSON file each (or
            which has one itself); or a glob pattern. What folders and patterns stand for is sorted.

    Raises:
        UserError: There is none, a folder has several, or they are in an archive.
    """
    if isinstance(path, AnnFiles):
        return list(path.files)
    if why_not := why_not_plain(path):
        raise UserError(why_not)
    if not is_several(path):
        return [Path(local_path(path))]
    if not is_dir(path):
        found = matches(path)
        if not found:
            raise UserError(f'{path}: no file fits this pattern')
        return found
    found = matches(os.path.join(path, '*', '*.json')) or matches(os.path.join(path, '*.json'))
    if not found:
        raise UserError(f'{path}: neither the folder nor its sub-folders have a JSON file')
    seen: dict[Path, Path] = {}
    for file in found:
        other = seen.setdefault(file.parent, file)
        if other is not file:
            raise UserError(
                f'{path}: {other} and {file} are in one folder; name the file, or write a pattern '
                f'in quotes, such as "{path}/*/data.json"'
            )
    return found


def is_several(path: AnnPath) -> bool:
    """Return whether a path stands for files that are joined."""
    if isinstance(path, AnnFiles) or is_dir(path):
        return True
    return glob.has_magic(str(path)) and not is_file(path)


def joined_path(setting: str | Sequence[str], root: AnnPath = '') -> AnnPath:
    """Return the path that an experiment's ``ann_file`` stands for.

    Args:
        setting: One path, or several that are joined.
        root: The folder that they are relative to.
    """
    if isinstance(setting, str):
        return _below(root, setting) if setting else ''
    return AnnFiles([_below(root, one) for one in setting])


def _below(root: AnnPath, name: str) -> str:
    # An address is complete, as an absolute path is.
    return os.path.join(local_path(os.fspath(root)), local_path(name))


def existing_files(path: AnnPath) -> list[Path]:
    """Return the files that a path stands for, without those that are missing."""
    try:
        return [file for file in annotation_files(path) if is_file(file)]
    except UserError:
        return []
