"""Writing a paste set: many photos in parallel, then one COCO file; a stopped run continues."""

import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.ann_files import annotation_files
from mmseg_custom.coco.class_map import apply_class_map
from mmseg_custom.coco.photo_root import output_stem, photo_root, with_photo_root
from mmseg_custom.coco.read import read_coco, require_valid
from mmseg_custom.coco.readable import unreadable_photos
from mmseg_custom.coco.stats.class_counts import require_annotated
from mmseg_custom.coco.write import new_ids
from mmseg_custom.utils import UserError, write_json
from mmseg_custom.utils.digests import digest_of_file
from mmseg_custom.utils.overwriting import refuse_overwriting
from mmseg_custom.utils.provenance import FILE, Provenance
from mmseg_custom.utils.remote import is_file

from .paste_photo import PasteOptions, PasteSource
from .paste_workers import PARTS, PHOTOS, part_name, photo_name, write_parts

VERSION = 2


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
    content, skipped = _readable(content, root)
    return PasteSource(content, root, classes, skipped)


def _readable(content: dict, root: Path) -> tuple[dict, tuple[tuple[str, str], ...]]:
    """Leave out images whose photos are damaged; one that is missing stays, and is an error."""
    paths = [root / image['file_name'] for image in content['images']]
    damaged = {n: why for n, why in unreadable_photos(paths).items() if is_file(paths[n])}
    images = [image for place, image in enumerate(content['images']) if place not in damaged]
    if not images:
        raise UserError(next(iter(damaged.values())))
    ids = {image['id'] for image in images}
    annotations = [entry for entry in content['annotations'] if entry['image_id'] in ids]
    names = [image['file_name'] for image in content['images']]
    skipped = tuple((names[place], why) for place, why in damaged.items())
    return content | dict(images=images, annotations=annotations), skipped


def write_paste_set(
    ann_file: str | os.PathLike,
    source: PasteSource,
    out: str | os.PathLike,
    options: PasteOptions,
    aug_num: int,
    add: bool,
    workers: int,
    force: bool = False,
    verify: bool = False,
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
        force: Start over where another set is in ``out``.
        verify: Read every photo again, also where its size and time are as before.

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
        annotations=[digest_of_file(file) for file in annotation_files(ann_file)],
        classes=source.classes.to_plain(),
        **asdict(options),
    )
    target = out / f'{output_stem(ann_file)}_pasted.json'
    photos = {i['file_name']: [source.data_root / i['file_name']] for i in source.content['images']}
    refuse_overwriting([target], annotation_files(ann_file))
    refuse_overwriting(
        (out / photo_name(i) for i in range(aug_num)), (p for (p,) in photos.values())
    )
    provenance = Provenance(out / FILE, 'copy_paste', made_from, are_results=False)
    if _is_done(provenance, out, target, photos, force, verify):
        return target
    provenance.save()
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


def _is_done(
    provenance: Provenance, out: Path, target: Path, photos: dict, force: bool, verify: bool
) -> bool:
    """Return whether the same set is there; raise when it is another one."""
    foreign = provenance.open([target, out / PHOTOS], force)
    same = provenance.require_unchanged(photos, verify, force)
    if not same or foreign:
        for folder in (PHOTOS, PARTS):
            shutil.rmtree(out / folder, ignore_errors=True)
        target.unlink(missing_ok=True)
        return False
    pasted = (out / photo_name(index) for index in range(provenance.made_from['aug_num']))
    return target.exists() and all(photo.is_file() for photo in pasted)


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
