"""Checks of all samples of a data set when it is made, not in the middle of a training."""

import logging
import os.path as osp
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmseg_custom.classes import ClassList
from mmseg_custom.coco import load_mask
from mmseg_custom.coco.photo_root import AnnPath
from mmseg_custom.coco.readable import unreadable_photos
from mmseg_custom.utils import UserError
from mmseg_custom.utils.remote import is_file, list_folder
from mmseg_custom.utils.thread_pool import thread_pool


def require_labels(ann_file: AnnPath, samples: Sequence[dict[str, Any]], test_mode: bool) -> None:
    """Raise for a set without photos, and for photos without labels that are to be trained on.

    Args:
        ann_file: The annotation file, named in messages.
        samples: Of :func:`~mmseg_custom.coco.coco_to_samples`.
        test_mode: Whether photos without labels are fine.

    Raises:
        UserError: See above.
    """
    if not samples:
        raise UserError(f'{ann_file}: lists no image; an empty set (fold) cannot be used')
    unlabelled = [s for s in samples if 'annotations' not in s and 'seg_map_path' not in s]
    if unlabelled and not test_mode:
        raise UserError(
            f'{ann_file}: has no "annotations"; label the photos, or use the file for '
            'testing only (test_mode=True)'
        )


def require_files(ann_file: AnnPath, samples: Sequence[dict[str, Any]]) -> None:
    """Raise where a photo is missing.

    Args:
        ann_file: The annotation file, named in messages.
        samples: With ``img_path``.

    Raises:
        UserError: Names the first one.
    """
    paths = [sample['img_path'] for sample in samples]
    listed = _files_of_folders({osp.dirname(path) for path in paths})
    if listed is None:
        print_log(
            f'{ann_file}: a web server does not list its files: a photo that is missing is found '
            'when it is read', 'current', logging.WARNING,
        )  # fmt: skip
        return
    # What a listing does not name may be there all the same, as on disks that ignore case.
    missing = [path for path in paths if path not in listed and not is_file(path)]
    if missing:
        raise UserError(
            f'{missing[0]}: no such photo ({len(missing)} of {len(paths)} that '
            f'{ann_file} lists are missing)',
            kind='missing-photos',
        )


def readable_samples(
    ann_file: AnnPath, samples: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Read every photo once, and leave out those that cannot be read.

    Args:
        ann_file: The annotation file, named in messages.
        samples: With ``img_path``.

    Returns:
        tuple[list[dict], list[str]]: The samples that are left, and why the others are not.

    Raises:
        UserError: None is left.
    """
    reasons = unreadable_photos([sample['img_path'] for sample in samples])
    skipped = list(dict.fromkeys(reasons.values()))
    if len(reasons) == len(samples):
        every = f'none of the {len(samples)} photos of {ann_file} can be read'
        raise UserError(f'{skipped[0]} ({every})')
    return [sample for place, sample in enumerate(samples) if place not in reasons], skipped


def _files_of_folders(folders: Iterable[str]) -> set[str] | None:
    """Return the files in folders, from one listing each; None where they cannot be listed."""
    found = set()
    for folder in folders:
        names = list_folder(folder)
        if names is None:
            return None
        found.update(osp.join(folder, name) for name in names[1])
    return found


def require_valid_masks(samples: Sequence[dict[str, Any]], classes: ClassList) -> None:
    """Read every mask file once: a wrong label would stop a GPU with an assertion.

    Args:
        samples: Those with ``seg_map_path`` are read.
        classes: The classes of the labels.

    Raises:
        UserError: Names the file and what is wrong with it.
    """
    masked = [sample for sample in samples if 'seg_map_path' in sample]
    with thread_pool() as pool:
        for _ in pool.map(lambda sample: load_sample_mask(sample, classes), masked):
            pass  # A list would hold all masks.


def load_sample_mask(sample: dict[str, Any], classes: ClassList) -> np.ndarray:
    """Return the labels of a sample's mask file, ``(H, W)`` uint8."""
    return load_mask(sample['seg_map_path'], sample['height'], sample['width'], classes)
