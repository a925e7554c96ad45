"""From COCO annotations to label masks and back, without loss."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import Source, digest_of_data
from mmseg_custom.utils.overwriting import refuse_overwriting
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.provenance import FILE, Provenance, announce

from .ann_files import annotation_files
from .paint import paint
from .palette import load_mask, save_mask
from .photo_root import photo_root
from .read import coco_to_samples, read_coco, require_valid
from .segmentation import describe_mask
from .write import require_inside

Clean = Callable[[np.ndarray], np.ndarray]


def write_masks(
    ann_file: str | os.PathLike,
    out: str | os.PathLike,
    classes: ClassList,
    data_root: str | os.PathLike | None = None,
    clean: Clean | None = None,
    force: bool = False,
    content: dict | None = None,
    options: dict | None = None,
) -> dict[str, int]:
    """Write a palette PNG per photo, at the photo's relative path.

    Args:
        ann_file: The annotations.
        out: Folder of the masks.
        classes: The classes that categories are matched to.
        data_root: Folder that ``seg_map_path`` is relative to; see
            :func:`~mmseg_custom.coco.photo_root.photo_root`.
        clean: Changes an ``(H, W)`` uint8 mask before it is written.
        force: Write masks that are there already, too.
        content: The parsed JSON, where it was read before.
        options: What ``clean`` does, as plain data: masks of other options are not kept.

    Returns:
        dict[str, int]: ``written`` and ``kept`` masks, ``pixels`` written and how many of them
        ``clean`` has ``changed``.

    Raises:
        UserError: No valid annotations, a name outside the folder or two of one mask.
    """
    content = read_coco(ann_file) if content is None else content
    require_valid(ann_file, content, classes)
    samples = coco_to_samples(content, classes)
    root = photo_root(ann_file, content, data_root)
    targets = [Path(out) / name for name in _mask_names(ann_file, samples)]
    refuse_overwriting(targets, [*annotation_files(ann_file), *_files_of(samples, root)])
    made_from = dict(classes=classes.to_plain(), clean=options)
    provenance = Provenance(Path(out, FILE), 'coco_to_masks', made_from)
    foreign = provenance.open(targets, force)
    sources = {
        target.relative_to(out).as_posix(): _sources(sample, root)
        for sample, target in zip(samples, targets, strict=True)
    }
    outdated = [Path(out, name) for name in provenance.update(sources)]
    announce([str(path) for path in outdated if path.exists()], foreign)
    for target in {*outdated, *(targets if force else ())}:
        target.unlink(missing_ok=True)
    provenance.save()
    counts = dict(written=0, kept=0, pixels=0, changed=0)
    for sample, target in zip(tqdm(samples, desc='painting', unit='mask'), targets, strict=True):
        if target.exists():
            counts['kept'] += 1
            continue
        mask = sample_mask(sample, root, classes)
        cleaned = clean(mask) if clean else mask
        save_mask(target, cleaned, classes)
        counts['written'] += 1
        counts['pixels'] += mask.size
        counts['changed'] += int(np.count_nonzero(mask != cleaned))
    return counts


def _files_of(samples: Sequence[dict], data_root: Path) -> list[Path]:
    names = [sample['file_name'] for sample in samples]
    names += [sample['seg_map_path'] for sample in samples if 'seg_map_path' in sample]
    return [data_root / name for name in names]


def _sources(sample: dict, data_root: Path) -> list[Source]:
    """Return what a mask is made from: annotations, or another mask."""
    if 'seg_map_path' in sample:
        return [data_root / sample['seg_map_path']]
    content = [sample['height'], sample['width'], sample['annotations']]
    return [digest_of_data(content, '')['sha256']]


def _mask_names(ann_file: str | os.PathLike, samples: list[dict]) -> list[str]:
    require_inside(ann_file, (sample['file_name'] for sample in samples))
    names = {}
    for sample in samples:
        photo = sample['file_name']
        if 'annotations' not in sample and 'seg_map_path' not in sample:
            raise UserError(f'{ann_file}: has no "annotations" to paint; label the photos first')
        name = str(Path(photo).with_suffix('.png'))
        if name in names:
            raise UserError(
                f'{ann_file}: {names[name]} and {photo} would have the same mask; rename one'
            )
        names[name] = photo
    return list(names)


def sample_mask(sample: dict, data_root: Path, classes: ClassList) -> np.ndarray:
    """Return the ``(H, W)`` uint8 mask of what :func:`coco_to_samples` says about a photo."""
    size = sample['height'], sample['width']
    if 'seg_map_path' in sample:
        return load_mask(data_root / sample['seg_map_path'], *size, classes)
    return paint(sample['annotations'], *size, classes.unlabeled)


def mask_annotations(mask: np.ndarray, classes: ClassList, whole: bool = False) -> Iterator[dict]:
    """Describe a mask by compressed RLEs that do not overlap, so their order does not matter.

    Args:
        mask: ``(H, W)`` uint8 labels.
        classes: What the labels mean; all of them but the background are described.
        whole: One annotation per class instead of one per 8-connected component.

    Yields:
        dict: ``category_id`` (the label), ``segmentation``, ``area``, ``bbox`` and ``iscrowd``.
    """
    for label, count, parts in _parts(mask, classes, whole):
        for number in range(1, count):
            described = describe_mask(parts == number)
            if described['area']:
                yield dict(category_id=label, **described, iscrowd=0)


def part_means(mask: np.ndarray, values: np.ndarray, classes: ClassList) -> Iterator[float]:
    """Yield the mean of a value over each part that :func:`mask_annotations` describes.

    Args:
        mask: ``(H, W)`` uint8 labels.
        values: ``(H, W)``, such as confidences.
        classes: What the labels mean.
    """
    for _, _, parts in _parts(mask, classes, whole=False):
        sizes = np.bincount(parts.ravel())[1:]
        yield from (np.bincount(parts.ravel(), values.ravel())[1:] / sizes).tolist()


def _parts(
    mask: np.ndarray, classes: ClassList, whole: bool
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield each class, the number of its parts and 1, and ``(H, W)`` numbers from 1 on."""
    for label in classes.foreground:
        of_class = (mask == label).astype(np.uint8)
        count, parts = (2, of_class) if whole else cv2.connectedComponents(of_class, connectivity=8)
        yield label, count, parts
