"""Join annotation files: the batches of the Recycle Trash Dataset, splits, other sets."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from mmseg_custom.classes import name_key
from mmseg_custom.utils import UserError

from .photo_root import AnnPath, below, own_folder, photo_root


def annotation_files(path: AnnPath) -> list[Path]:
    """Return the files that a folder or a glob pattern stands for, sorted.

    Args:
        path: A folder, whose sub-folders have one JSON file each (or which has one itself); or a
            glob pattern.

    Raises:
        UserError: There is none, or a folder has several.
    """
    if not os.path.isdir(path):
        return sorted(map(Path, glob.glob(str(path), recursive=True)))
    found = sorted(Path(path).glob('*/*.json')) or sorted(Path(path).glob('*.json'))
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


def join_files(path: AnnPath, parts: Sequence[tuple[Path, dict]]) -> dict:
    """Join annotation files into one COCO object.

    Ids are numbered from 0, categories of one name become one, and file names become relative to
    the folder that all files are below.

    Args:
        path: The folder or pattern that they were found by.
        parts: Each file and its valid content.
    """
    images: list[dict] = []
    annotations: list[dict] = []
    categories: dict[str, dict] = {}
    root = own_folder(path)
    for file, content in parts:
        # A file whose photos are elsewhere says so; its names count from there.
        folder = os.path.relpath(photo_root(file, content), root)
        entries = content['images']
        names = below(Path(folder).as_posix(), [entry['file_name'] for entry in entries])
        numbers = {entry['id']: len(images) + n for n, entry in enumerate(entries)}
        for entry, name in zip(entries, names, strict=True):
            new = dict(id=numbers[entry['id']], file_name=name)
            if entry.get('seg_map_path') is not None:
                new['seg_map_path'] = Path(folder, entry['seg_map_path']).as_posix()
            images.append(entry | new)
        ids = _category_ids(content.get('categories', ()), categories)
        for entry in content.get('annotations', ()):
            new = dict(
                id=len(annotations),
                image_id=numbers[entry['image_id']],
                category_id=ids[entry['category_id']],
            )
            annotations.append(entry | new)
    joined = dict(info={}, licenses=_licenses(parts), images=images)
    if all('annotations' in content for _, content in parts):
        joined |= dict(categories=list(categories.values()), annotations=annotations)
    return joined


def _category_ids(entries: Sequence[dict], categories: dict[str, dict]) -> dict:
    """Return the new id of each category; new ones are added, under their own id if it is free."""
    ids = {}
    for entry in entries:
        key = name_key(entry['name'])
        if key not in categories:
            taken = {one['id'] for one in categories.values()}
            free = entry['id'] if entry['id'] not in taken else _next_number(taken)
            categories[key] = entry | dict(id=free)
        ids[entry['id']] = categories[key]['id']
    return ids


def _next_number(taken: set) -> int:
    return 1 + max((key for key in taken if isinstance(key, int)), default=-1)


def _licenses(parts: Sequence[tuple[Path, dict]]) -> list[dict]:
    """Return the licenses of all files, each once (the ids of different files may differ)."""
    found: list[dict] = []
    for _, content in parts:
        entries = content.get('licenses')
        found += [e for e in (entries if isinstance(entries, list) else ()) if e not in found]
    return found
