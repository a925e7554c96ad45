"""Merge sets of different people: one class list, each photo once, and where each is from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmseg_custom.classes import name_key
from mmseg_custom.utils import UserError
from mmseg_custom.utils.parallel import in_threads

from .ann_files import AnnFiles
from .check import locate_problems, lost_annotations
from .join import join_files
from .near_duplicates import difference_hash, group_near
from .photo_root import photo_root
from .read import read_coco
from .readable import require_photos


@dataclass(frozen=True)
class Merged:
    """A merged set.

    Attributes:
        content: The COCO object; ``origin`` of an image is the file that it is from.
        root: The folder that its file names are relative to.
        dropped: Photos that were left out: ``file_name``, ``origin`` and ``why``.
        unused: Names of the common class map that no file has.
    """

    content: dict
    root: Path
    dropped: list[dict]
    unused: tuple[str, ...] = ()


def merge_sets(
    files: Sequence[str],
    class_maps: Mapping[str, Mapping[str, str]],
    held_out: Sequence[str] = (),
    distance: int | None = 2,
    common: Mapping[str, str] | None = None,
) -> Merged:
    """Merge annotation files.

    Ids are numbered again, categories of one name become one, licenses keep their photos. A photo
    that looks like one of ``held_out``, or like one of a file before, is left out.

    Args:
        files: The files, the one that counts most first.
        class_maps: By file, the class for each name that it has; other names stay.
        held_out: Files of photos that nothing may be trained on.
        distance: Bits of 64 in which hashes of photos that look the same may differ; None: photos
            are not looked at.
        common: The class for each name, of all files; a file's own map comes first. A file need
            not have all of the names.

    Raises:
        UserError: A file cannot be used, a photo is missing, or no file has a name of ``common``.
    """
    read = {file: _read(file) for file in files}
    common = common or {}
    unused = _unused(common, read.values())
    if unused and len(unused) == len(common):
        raise UserError(
            f'{", ".join(files)}: have no category {unused[0]!r}, nor another that the class map '
            'names'
        )
    parts = [
        (Path(file), _renamed(file, read[file], class_maps.get(file, {}), common)) for file in files
    ]
    several = AnnFiles(files)
    content = join_files(several, parts)
    origins = [file for file, part in zip(files, (p for _, p in parts), strict=True)
               for _ in part['images']]  # fmt: skip
    for image, origin in zip(content['images'], origins, strict=True):
        image.setdefault('origin', Path(origin).as_posix())
    root = photo_root(several, content)
    if distance is None:
        return Merged(content, root, [], unused)
    paths = [root / image['file_name'] for image in content['images']]
    held = [path for file in held_out for path in _photos_of(file)]
    numbers = [-1] * len(held) + [files.index(origin) for origin in origins]
    why = _repeated([*held, *paths], numbers, distance)[len(held) :]
    return replace(_without(content, root, why), unused=unused)


def _read(file: str) -> dict:
    """Return a file's content.

    Raises:
        UserError: The file is broken, or its labels are in mask files.
    """
    content = read_coco(file)
    problem = next((one.message for one in locate_problems(content, None)), None)
    if message := problem or lost_annotations(content):
        raise UserError(f'{file}: {message}', kind='broken-annotations')
    if 'annotations' not in content:
        raise UserError(f'{file}: has no "annotations" to merge')
    if any(image.get('seg_map_path') is not None for image in content['images']):
        raise UserError(f'{file}: its labels are in mask files; describe them as COCO first')
    return content


def _unused(class_map: Mapping[str, str], contents: Iterable[dict]) -> tuple[str, ...]:
    known = {name_key(one['name']) for content in contents for one in content['categories']}
    return tuple(name for name in class_map if name_key(name) not in known)


def _renamed(
    file: str, content: dict, class_map: Mapping[str, str], common: Mapping[str, str]
) -> dict:
    """Return a file's content with the names of its class map, and of the common one.

    Raises:
        UserError: Its own class map names a category that it does not have.
    """
    if unknown := _unused(class_map, [content]):
        raise UserError(f'{file}: has no category {unknown[0]!r}, which its class map names')
    targets = {
        name_key(name): target for one in (common, class_map) for name, target in one.items()
    }
    categories = [
        one | dict(name=targets.get(name_key(one['name']), one['name']))
        for one in content['categories']
    ]
    images = [dict(image) for image in content['images']]
    return content | dict(categories=categories, images=images)


def _photos_of(file: str) -> list[Path]:
    content = read_coco(file)
    root = photo_root(file, content)
    return [root / image['file_name'] for image in content['images']]


def _repeated(paths: Sequence[Path], numbers: Sequence[int], distance: int) -> list[str]:
    """Return for each photo why it is left out, or an empty text.

    Args:
        paths: The photos.
        numbers: Number of the file of each; -1: held out.
        distance: See :func:`merge_sets`.
    """
    require_photos(paths)
    hashes = np.stack(list(in_threads(difference_hash, paths, 'reading')))
    groups = group_near(hashes, distance)
    first = np.full(len(paths), len(paths))
    np.minimum.at(first, groups, numbers)
    # The photo that the others of a group are compared with, for the reason.
    shown = {}
    for path, number, group in zip(paths, numbers, groups.tolist(), strict=True):
        if number == first[group]:
            shown.setdefault(group, path)
    reasons = []
    for number, group in zip(numbers, groups.tolist(), strict=True):
        kind = 'the held-out photo' if first[group] < 0 else 'a photo of another file,'
        kept = number == first[group]
        reasons.append('' if kept else f'looks the same as {kind} {shown[group]}')
    return reasons


def _without(content: dict, root: Path, why: Sequence[str]) -> Merged:
    dropped = [
        dict(file_name=image['file_name'], origin=image['origin'], why=reason)
        for image, reason in zip(content['images'], why, strict=True)
        if reason
    ]
    images = [one for one, reason in zip(content['images'], why, strict=True) if not reason]
    if not images:
        raise UserError(f'no photo is left: the first {dropped[0]["why"]}')
    numbers = {image['id']: number for number, image in enumerate(images)}
    annotations = [one for one in content['annotations'] if one['image_id'] in numbers]
    content = content | dict(
        images=[image | dict(id=numbers[image['id']]) for image in images],
        annotations=[
            one | dict(id=number, image_id=numbers[one['image_id']])
            for number, one in enumerate(annotations)
        ],
    )
    return Merged(content, root, dropped)
