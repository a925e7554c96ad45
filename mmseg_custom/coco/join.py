"""Join annotation files: the batches of the Recycle Trash Dataset, splits, other sets."""

import os
from collections.abc import Sequence
from pathlib import Path

from mmseg_custom.classes import name_key

from .photo_root import KEY, AnnPath, below, own_folder, photo_root


def join_files(path: AnnPath, parts: Sequence[tuple[Path, dict]]) -> dict:
    """Join annotation files into one COCO object.

    Ids are numbered from 0, categories of one name become one, and file names become relative to
    the folder that all files are below. Files that name one folder of photos, as folds do, keep
    their file names, and the joined ``info`` names that folder.

    Args:
        path: What they were found by, see :func:`~mmseg_custom.coco.ann_files.annotation_files`.
        parts: Each file and its valid content.
    """
    shared = _shared_root(path, parts)
    images: list[dict] = []
    annotations: list[dict] = []
    categories: dict[str, dict] = {}
    root = own_folder(path)
    for file, content in parts:
        # A file whose photos are elsewhere says so; its names count from there.
        folder = '.' if shared else os.path.relpath(photo_root(file, content), root)
        entries = content['images']
        names = [entry['file_name'] for entry in entries]
        names = names if shared else below(Path(folder).as_posix(), names)
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
    info = {KEY: shared} if shared else {}
    joined = dict(info=info, licenses=_licenses(parts), images=images)
    if all('annotations' in content for _, content in parts):
        joined |= dict(categories=list(categories.values()), annotations=annotations)
    return joined


def _shared_root(path: AnnPath, parts: Sequence[tuple[Path, dict]]) -> str | None:
    """Return the folder of photos that all files name, relative to ``path``; None: not the same."""
    infos = [content.get('info') for _, content in parts]
    if not all(isinstance(info, dict) and isinstance(info.get(KEY), str) for info in infos):
        return None
    roots = {os.path.realpath(photo_root(file, content)) for file, content in parts}
    if len(roots) > 1:
        return None
    return Path(os.path.relpath(roots.pop(), os.path.realpath(own_folder(path)))).as_posix()


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
