"""The classes in each image of a dataset, through the wrappers that datasets come in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmseg.datasets import MultiImageMixDataset

from mmseg_custom.classes import ClassList, class_list
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.utils import UserError


def class_lists(dataset) -> list[list[int]]:
    """Return the labels in each image, without the background.

    Args:
        dataset: Has ``get_cat_ids(idx) -> list[int]``, as :class:`TrashCocoDataset`, or wraps such
            datasets.

    Raises:
        UserError: A dataset does not know the classes of its images.
    """
    return of_leaves(dataset, _class_lists_of_leaf)


def pixel_rows(dataset) -> np.ndarray:
    """Count the pixels of each class in each image, painted as for the training.

    Args:
        dataset: A :class:`TrashCocoDataset`, or wraps some.

    Returns:
        np.ndarray: ``(images, C)`` int64; ignored pixels are not counted.

    Raises:
        UserError: A dataset has no labels to count.
    """
    return np.stack(of_leaves(dataset, _pixel_rows_of_leaf))


def of_leaves(dataset, of_leaf: Callable[[Any], list]) -> list:
    """Return what ``of_leaf`` returns for each image, in the order of ``dataset``.

    Args:
        dataset: A dataset, or one that wraps some.
        of_leaf: Called with each dataset inside the wrappers; returns one item per image.
    """
    if isinstance(dataset, ConcatDataset):
        return [item for part in dataset.datasets for item in of_leaves(part, of_leaf)]
    if isinstance(dataset, RepeatDataset):
        return of_leaves(dataset.dataset, of_leaf) * dataset.times
    if isinstance(dataset, MultiImageMixDataset):
        return of_leaves(dataset.dataset, of_leaf)
    return of_leaf(dataset)


def _class_lists_of_leaf(dataset) -> list[list[int]]:
    # MMEngine's BaseDataset has the method too, but it only raises.
    method = getattr(type(dataset), 'get_cat_ids', None)
    if method is None or method is BaseDataset.get_cat_ids:
        raise UserError(
            f'{type(dataset).__name__} has no get_cat_ids, so that the classes of its images are '
            'unknown: use TrashCocoDataset, or do without RepeatFactorSampler and CopyPaste'
        )
    return [dataset.get_cat_ids(idx) for idx in range(len(dataset))]


def _pixel_rows_of_leaf(dataset) -> list[np.ndarray]:
    classes, rows = dataset_classes(dataset), []
    for idx in range(len(dataset)):
        sample = dataset.get_data_info(idx)
        if 'seg_map_path' not in sample and 'annotations' not in sample:
            raise UserError(
                f'{type(dataset).__name__}: {sample.get("img_path")} has no labels to derive class '
                "weights from: use TrashCocoDataset, or give numbers instead of 'auto'"
            )
        # Paths of a dataset are joined with its root already.
        mask = sample_mask(sample, Path(), classes)
        rows.append(np.bincount(mask.ravel(), minlength=256)[: len(classes)])
    return rows


def dataset_classes(dataset) -> ClassList:
    """Return the classes of a dataset, or of a wrapper of datasets.

    Raises:
        UserError: It has no ``metainfo['classes']``.
    """
    metainfo = getattr(dataset, 'metainfo', None) or {}
    if metainfo.get('classes') is None:
        raise UserError(
            f"{type(dataset).__name__} has no metainfo['classes'] to look class names up in: add "
            'them, or name no class (RepeatFactorSampler: give threshold instead)'
        )
    return class_list(metainfo, type(dataset).__name__)
