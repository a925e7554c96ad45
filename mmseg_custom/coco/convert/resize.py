"""A smaller copy of a set: photos and their annotations; a stopped run continues.

The label of a pixel of the copy is the label of the nearest pixel of the original: pixel ``i`` of a
side of ``n`` pixels that had ``N`` is the original's pixel ``floor((i + 0.5) * N / n)``. Each
annotation becomes the RLE of its mask, sampled so; ``area`` is the original's, scaled, so that the
painting order stays. Painting the copy thus gives exactly the nearest-neighbor resized painting of
the original.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.decode_photo import PhotoProblem
from mmseg_custom.coco.layers import Layers
from mmseg_custom.coco.photo_root import output_stem, photo_root
from mmseg_custom.coco.photos import is_photo, photo_size, read_photo
from mmseg_custom.coco.read import category_labels, require_valid
from mmseg_custom.coco.segmentation import describe_mask, segmentation_rle
from mmseg_custom.coco.stats.class_counts import require_annotated
from mmseg_custom.coco.write import require_inside
from mmseg_custom.utils import UserError, atomic_path, write_json
from mmseg_custom.utils.digests import digest_of_data
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.provenance import FILE, Provenance, announce

JPEG_QUALITY = 95


@dataclass(frozen=True)
class Resized:
    """What a resizing did.

    Attributes:
        path: The new annotation file.
        images: Photos in it.
        kept: How many of these photos were there already.
        annotations: Annotations in it.
        vanished: Annotations that had no pixel left and were dropped.
        skipped: Name and reason of the photos that cannot be read, which are not in it.
    """

    path: Path
    images: int
    kept: int
    annotations: int
    vanished: int
    skipped: list[tuple[str, str]]


def resize_set(
    ann_file: str | os.PathLike,
    content: dict,
    classes: ClassList,
    out: str | os.PathLike,
    size: int,
    data_root: str | os.PathLike | None = None,
    workers: int = 1,
    force: bool = False,
) -> Resized:
    """Write a copy whose photos have a longer side of at most ``size``.

    Args:
        ann_file: The annotations: a file, a folder or a glob pattern.
        content: Their parsed JSON.
        classes: The classes that categories are matched to.
        out: Folder of the copy. Photos of the right size that are there already are kept.
        size: Longer side in pixels; smaller photos keep their size.
        data_root: See :func:`~mmseg_custom.coco.photo_root.photo_root`.
        workers: Number of processes.
        force: Start over where a copy of something else is in ``out``.

    Raises:
        UserError: No valid annotations, a photo that is missing or of another size than stated, or
            ``out`` is the folder of the originals or of a copy of another set.
    """
    require_valid(ann_file, content, classes)
    require_annotated(ann_file, content)
    require_inside(ann_file, (image['file_name'] for image in content['images']))
    out, root = Path(out), photo_root(ann_file, content, data_root)
    if out.resolve() == root.resolve():
        raise UserError(f'{out}: is the folder of the original photos', kind='folder-in-use')
    drop_outdated(out, root, content, size, force)
    labels = category_labels(content['categories'], classes)
    tasks = [(image, entries, labels, root, out, size) for image, entries in _by_image(content)]
    images, annotations, kept, vanished, skipped = [], [], 0, 0, []
    for image, entries, was_there, lost in _in_processes(tasks, workers):
        if isinstance(entries, str):
            skipped.append((image['file_name'], entries))
            continue
        images.append(image)
        annotations += entries
        kept, vanished = kept + was_there, vanished + lost
    if not images:
        raise UserError(f'{skipped[0][1]} (none of the {len(skipped)} photos can be read)')
    target = out / f'{output_stem(ann_file)}.json'
    info = content.get('info') if isinstance(content.get('info'), dict) else {}
    info = {key: value for key, value in (info or {}).items() if key != 'data_root'}
    # Last, so that a stopped run leaves no file that looks complete.
    write_json(target, content | dict(info=info, images=images, annotations=annotations))
    return Resized(target, len(images), kept, len(annotations), vanished, skipped)


def drop_outdated(out: Path, root: Path, content: dict, size: int, force: bool = False) -> None:
    """Delete photos of a copy whose originals have changed since.

    Args:
        out: Folder of the copy.
        root: Folder of the originals.
        content: The annotations that the copy is made from.
        size: Longer side in pixels.
        force: Delete a copy of something else as well.

    Raises:
        UserError: The folder holds a copy of something else.
    """
    names = [image['file_name'] for image in content['images']]
    made_from = dict(size=size, annotations=digest_of_data(content, 'annotations'))
    provenance = Provenance(out / FILE, 'resize', made_from, are_results=False)
    foreign = provenance.open((out / name for name in names), force)
    changed = provenance.update({name: [root / name] for name in names})
    announce([name for name in changed if (out / name).exists()], foreign)
    for name in {*changed, *foreign}:
        (out / name).unlink(missing_ok=True)
    provenance.save()


def fitted_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Return ``(width, height)`` with a longer side of at most ``size``, in pixels, at least 1."""
    ratio = min(1, size / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def nearest_pixels(before: int, after: int) -> np.ndarray:
    """Return which pixel of a side of ``before`` pixels each of ``after`` pixels shows."""
    return (2 * np.arange(after) + 1) * before // (2 * after)


def resize_annotations(
    image: dict, entries: list[dict], labels: dict, new_size: tuple[int, int]
) -> list[dict]:
    """Return the annotations of an image in another size, those that have a pixel left.

    Args:
        image: The image entry.
        entries: Its valid annotations.
        labels: Labels by category id.
        new_size: ``(width, height)`` in pixels.
    """
    height, width = image['height'], image['width']
    rows, columns = nearest_pixels(height, new_size[1]), nearest_pixels(width, new_size[0])
    scale = new_size[0] * new_size[1] / (width * height)
    found = {}
    for layer in Layers(entries, labels, height, width).layers:
        mask = mask_utils.decode(segmentation_rle(layer.segmentation, height, width))
        described = describe_mask(mask[np.ix_(rows, columns)])
        if described['area']:
            found[id(layer.entry)] = layer.entry | described | dict(area=layer.area * scale)
    return [found[id(entry)] for entry in entries if id(entry) in found]


def _by_image(content: dict) -> Iterator[tuple[dict, list[dict]]]:
    of_image: dict = {image['id']: [] for image in content['images']}
    for entry in content['annotations']:
        of_image[entry['image_id']].append(entry)
    for image in content['images']:
        yield image, of_image[image['id']]


def _in_processes(tasks: list[tuple], workers: int) -> Iterable[tuple]:
    with (
        tqdm(total=len(tasks), desc='resizing', unit='photo') as bar,
        ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(0,)) as pool,
    ):
        try:
            for result in pool.map(_resize, tasks, chunksize=4):
                yield result
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _resize(task: tuple) -> tuple[dict, list[dict] | str, bool, int]:
    """Return the entry, its annotations or why there is no photo, if it was there, and losses."""
    image, entries, labels, root, out, size = task
    new_size = fitted_size(image['width'], image['height'], size)
    target = out / image['file_name']
    kept = _has_size(target, new_size)
    if not kept:
        try:
            _write_photo(root / image['file_name'], target, image, new_size)
        except PhotoProblem as problem:
            return image, str(problem), False, 0
    resized = resize_annotations(image, entries, labels, new_size)
    entry = image | dict(width=new_size[0], height=new_size[1])
    return entry, resized, kept, len(entries) - len(resized)


def _has_size(path: Path, size: tuple[int, int]) -> bool:
    try:
        return is_photo(path) and photo_size(path) == size[::-1]
    except UserError:
        return False


def _write_photo(source: Path, target: Path, image: dict, new_size: tuple[int, int]) -> None:
    size = image['height'], image['width']
    try:
        photo = read_photo(source, *size)
    except UserError:
        # Some sets are annotated on the pixels as they are stored.
        if photo_size(source) != size[::-1]:
            raise
        photo = read_photo(source, *size, rotate=False)
    if photo.shape[1::-1] != new_size:
        photo = cv2.resize(photo, new_size, interpolation=cv2.INTER_AREA)
    with atomic_path(target) as temporary:
        if not cv2.imwrite(str(temporary), photo, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
            raise UserError(f'{target}: cannot be written; is the disk full?')
