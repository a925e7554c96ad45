"""From COCO annotations to label masks and back, without loss."""

import glob
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError
from mmseg_custom.utils.progress import tqdm

from .paint import paint
from .palette import load_mask, save_mask
from .photo_root import photo_root
from .photos import PHOTO_SUFFIXES, is_photo, photo_size
from .read import coco_to_samples, read_coco, require_valid
from .segmentation import describe_mask
from .write import make_coco, require_inside

Clean = Callable[[np.ndarray], np.ndarray]


def write_masks(
    ann_file: str | os.PathLike,
    out: str | os.PathLike,
    classes: ClassList,
    data_root: str | os.PathLike | None = None,
    clean: Clean | None = None,
    force: bool = False,
    content: dict | None = None,
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
    counts = dict(written=0, kept=0, pixels=0, changed=0)
    for sample, target in zip(tqdm(samples, desc='painting', unit='mask'), targets, strict=True):
        if target.exists() and not force:
            counts['kept'] += 1
            continue
        mask = sample_mask(sample, root, classes)
        cleaned = clean(mask) if clean else mask
        save_mask(target, cleaned, classes)
        counts['written'] += 1
        counts['pixels'] += mask.size
        counts['changed'] += int(np.count_nonzero(mask != cleaned))
    return counts


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


def masks_to_coco(
    masks: str | os.PathLike, photos: str | os.PathLike, classes: ClassList, whole: bool = False
) -> dict:
    """Describe every mask PNG under a folder as COCO annotations; painting them gives the masks.

    COCO cannot say ignore, so a photo whose mask has ignored pixels gets ``seg_map_path`` and no
    annotations, unless the list has no background: what no annotation covers is ignored then. As
    :class:`TrashCocoDataset` reads them, ``file_name`` and ``seg_map_path`` are both relative to
    the photos' folder.

    Args:
        masks: Folder of palette or grey PNG files; a photo has its mask's relative path, with
            another suffix.
        photos: Folder of the photos.
        classes: What the labels mean.
        whole: One annotation per class instead of one per connected component.

    Raises:
        UserError: No mask, a mask without photo or of another size, a strange label.
    """
    masks, photos = Path(masks), Path(photos)
    paths = sorted(path for path in masks.rglob('*.png') if not path.name.startswith('.'))
    if not paths:
        raise UserError(f'{masks}: has no PNG mask')
    # All photos are looked for before the first mask is read.
    pairs = [(path, _photo_of(path, masks, photos)) for path in paths]
    entries = [
        _describe(path, photo, photos, classes, whole)
        for path, photo in tqdm(pairs, desc='describing', unit='mask')
    ]
    return make_coco(dict(description=f'Masks of {masks.resolve().name}'), [], entries, classes)


def _photo_of(mask: Path, masks: Path, photos: Path) -> Path:
    stem = photos / mask.relative_to(masks).with_suffix('')
    for photo in sorted(stem.parent.glob(glob.escape(stem.name) + '.*')):
        if is_photo(photo) and not photo.samefile(mask):
            return photo
    raise UserError(
        f'{mask}: there is no photo {stem} with one of the suffixes '
        f'{", ".join(sorted(PHOTO_SUFFIXES))}; correct the folder of photos, or take the mask away'
    )


def _describe(
    path: Path, photo: Path, photos: Path, classes: ClassList, whole: bool
) -> tuple[dict, list[dict]]:
    height, width = photo_size(photo)
    mask = load_mask(path, height, width, classes)
    name = photo.relative_to(photos).as_posix()
    entry = dict(license=None, url=None, file_name=name, height=height, width=width)
    if classes.background is not None and (mask == classes.ignore_index).any():
        relative = os.path.relpath(path.resolve(), photos.resolve())
        return entry | dict(seg_map_path=Path(relative).as_posix()), []
    return entry, list(mask_annotations(mask, classes, whole))


def mask_annotations(mask: np.ndarray, classes: ClassList, whole: bool = False) -> Iterator[dict]:
    """Describe a mask by compressed RLEs that do not overlap, so their order does not matter.

    Args:
        mask: ``(H, W)`` uint8 labels.
        classes: What the labels mean; all of them but the background are described.
        whole: One annotation per class instead of one per 8-connected component.

    Yields:
        dict: ``category_id`` (the label), ``segmentation``, ``area``, ``bbox`` and ``iscrowd``.
    """
    for label in classes.foreground:
        of_class = (mask == label).astype(np.uint8)
        count, parts = (2, of_class) if whole else cv2.connectedComponents(of_class, connectivity=8)
        for number in range(1, count):
            described = describe_mask(parts == number)
            if described['area']:
                yield dict(category_id=label, **described, iscrowd=0)
