"""Join annotation files: the batches of the Recycle Trash Dataset, splits, other sets."""

import os
from collections.abc import Sequence
from pathlib import Path

from mmseg_custom.classes import name_key
from mmseg_custom.utils import UserError

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
    licenses: list[dict] = []
    categories: dict[str, dict] = {}
    root = own_folder(path)
    for file, content in parts:
        license_of = _license_ids(content, licenses)
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
            if isinstance(entry.get('license'), int | str) and entry['license'] in license_of:
                new['license'] = license_of[entry['license']]
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
    joined = dict(info=info | _labels_of_masks(parts), licenses=licenses, images=images)
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


def _license_ids(content: dict, licenses: list[dict]) -> dict:
    """Return the new id of each license; new ones are added, under their own id if it is free.

    Two files may use one id for different licenses, and two ids for the same.
    """
    ids = {}
    entries = content.get('licenses')
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get('id'), int | str):
            continue
        known = next((one for one in licenses if one | dict(id=0) == entry | dict(id=0)), None)
        if known is None:
            taken = {one['id'] for one in licenses}
            free = entry['id'] if entry['id'] not in taken else _next_number(taken)
            known = entry | dict(id=free)
            licenses.append(known)
        ids[entry['id']] = known['id']
    return ids


def _labels_of_masks(parts: Sequence[tuple[Path, dict]]) -> dict[str, list]:
    """Return what the labels of mask files mean, in the form of ``info``.

    Raises:
        UserError: They mean different things in different files.
    """
    found: dict[str, tuple[Path, list]] = {}
    for file, content in parts:
        info = content.get('info')
        noted = info.get('classes') if isinstance(info, dict) else None
        if isinstance(noted, list):
            found.setdefault(repr(noted), (file, noted))
    if len(found) > 1:
        (first, _), (second, _) = list(found.values())[:2]
        raise UserError(f'{first} and {second}: the labels of their mask files mean other classes')
    return dict(classes=next(iter(found.values()))[1]) if found else {}
