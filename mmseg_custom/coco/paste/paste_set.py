"""Writing a paste set: many photos in parallel, then one COCO file; a stopped run goes on."""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.class_map import apply_class_map
from mmseg_custom.coco.join import annotation_files
from mmseg_custom.coco.photo_root import output_stem, photo_root, with_photo_root
from mmseg_custom.coco.read import read_coco, require_valid
from mmseg_custom.coco.stats.class_counts import require_annotated
from mmseg_custom.coco.write import new_ids
from mmseg_custom.utils import UserError, write_json

from .paste_photo import PasteOptions, PasteSource
from .paste_workers import PARTS, PHOTOS, part_name, photo_name, write_parts

VERSION = 2
MANIFEST = 'paste_set.json'


def open_source(
    ann_file: str | os.PathLike,
    classes: ClassList,
    data_root: str | os.PathLike | None = None,
    content: dict | None = None,
) -> PasteSource:
    """Read the annotations that a paste set is made from.

    Args:
        ann_file: The annotations.
        classes: The classes that categories are matched to.
        data_root: Folder of the photos; see :func:`~mmseg_custom.coco.photo_root.photo_root`.
        content: The parsed JSON, where it was read before.

    Raises:
        UserError: No valid annotations.
    """
    content = read_coco(ann_file) if content is None else content
    require_valid(ann_file, content, classes)
    require_annotated(ann_file, content)
    content = apply_class_map(content, classes)
    root = photo_root(ann_file, content, data_root)
    return PasteSource(content, root, classes)


def write_paste_set(
    ann_file: str | os.PathLike,
    source: PasteSource,
    out: str | os.PathLike,
    options: PasteOptions,
    aug_num: int,
    add: bool,
    workers: int,
) -> Path:
    """Write the photos and the COCO file, unless the same set is there already.

    Args:
        ann_file: The annotations, which give the new file its name.
        source: What :func:`open_source` made of them.
        out: Folder of the set; for ``add`` inside of the data folder.
        options: How photos are made.
        aug_num: Number of photos.
        add: Whether the new file holds the old photos, too; its names are then relative to the
            data folder, and else to ``out``.
        workers: Number of processes.

    Returns:
        Path: The COCO file.

    Raises:
        UserError: No object of these classes, an unfit photo, or another set in ``out``.
    """
    out = Path(out)
    options = replace(options, labels=_occurring(ann_file, source, options.labels))
    prefix = _prefix(out, source.data_root) if add else ''
    made_from = dict(
        version=VERSION,
        aug_num=aug_num,
        add=add,
        sha256=_digest(ann_file),
        classes=source.classes.to_plain(),
        **asdict(options),
    )
    made_from = json.loads(json.dumps(made_from))
    target = out / f'{output_stem(ann_file)}_pasted.json'
    if _is_done(out, target, made_from):
        return target
    write_json(out / MANIFEST, made_from)
    write_parts(source, options, out, aug_num, workers)
    merged = _merge(source.content, out, aug_num, add, prefix)
    write_json(target, with_photo_root(merged, target, source.data_root if add else out))
    shutil.rmtree(out / PARTS)
    for leftover in (out / PHOTOS).glob('.*'):
        leftover.unlink()
    return target


def _occurring(ann_file, source: PasteSource, labels: tuple[int, ...]) -> tuple[int, ...]:
    held = set().union(*source.classes_of)
    missing = [source.classes.names[label] for label in labels if label not in held]
    if len(missing) == len(labels):
        raise UserError(f'{ann_file}: has no object of {", ".join(missing)}; choose other classes')
    return tuple(label for label in labels if label in held)


def _prefix(out: Path, data_root: Path) -> str:
    try:
        return out.resolve().relative_to(data_root.resolve()).as_posix() + '/'
    except ValueError:
        raise UserError(
            f'{out}: lies outside of the data folder {data_root}, so that one file cannot name '
            'both old and new photos',
            kind='not-inside-data-root',
        ) from None


def _digest(path: str | os.PathLike) -> str:
    files = [Path(path)] if os.path.isfile(path) else annotation_files(path)
    return hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()


def _is_done(out: Path, target: Path, made_from: dict) -> bool:
    """Whether the same set is there; raise when it is another one."""
    manifest = out / MANIFEST
    if not manifest.exists():
        if target.exists() or (out / PHOTOS).exists():
            raise UserError(f'{out}: holds other data', kind='folder-in-use')
        return False
    if read_coco(manifest) != made_from:
        raise UserError(
            f'{out}: holds a paste set of other annotations or options', kind='folder-in-use'
        )
    photos = (out / photo_name(index) for index in range(made_from['aug_num']))
    return target.exists() and all(photo.is_file() for photo in photos)


def _merge(content: dict, out: Path, aug_num: int, add: bool, prefix: str) -> dict:
    image_ids, annotation_ids = new_ids(content['images']), new_ids(content['annotations'])
    images = list(content['images']) if add else []
    annotations = list(content['annotations']) if add else []
    for index in range(aug_num):
        part = read_coco(out / part_name(index))
        new = dict(id=next(image_ids))
        images.append(part['image'] | new | dict(file_name=prefix + photo_name(index)))
        for entry in part['annotations']:
            numbers = dict(id=next(annotation_ids), image_id=new['id'])
            annotations.append(numbers | entry | numbers)
    return content | dict(images=images, annotations=annotations)
