"""The classes in each image of a dataset, through the wrappers that datasets come in."""

from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmseg.datasets import MultiImageMixDataset

from mmseg_custom.utils import UserError


def class_lists(dataset) -> list[list[int]]:
    """Return the labels in each image, without Background.

    Args:
        dataset: Has ``get_cat_ids(idx) -> list[int]``, as :class:`TrashCocoDataset`, or wraps such
            datasets.

    Raises:
        UserError: A dataset does not know the classes of its images.
    """
    if isinstance(dataset, ConcatDataset):
        return [labels for part in dataset.datasets for labels in class_lists(part)]
    if isinstance(dataset, RepeatDataset):
        return class_lists(dataset.dataset) * dataset.times
    if isinstance(dataset, MultiImageMixDataset):
        return class_lists(dataset.dataset)
    # MMEngine's BaseDataset has the method too, but it only raises.
    method = getattr(type(dataset), 'get_cat_ids', None)
    if method is None or method is BaseDataset.get_cat_ids:
        raise UserError(
            f'{type(dataset).__name__} has no get_cat_ids, so that the classes of its images are '
            'unknown: use TrashCocoDataset, or do without RepeatFactorSampler and CopyPaste'
        )
    return [dataset.get_cat_ids(idx) for idx in range(len(dataset))]


def class_names(dataset) -> tuple[str, ...]:
    """Return the names of a dataset's classes.

    Raises:
        UserError: It has no ``metainfo['classes']``.
    """
    names = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    if names is None:
        raise UserError(
            f"{type(dataset).__name__} has no metainfo['classes'] to look class names up in: add "
            'them, or name no class (RepeatFactorSampler: give threshold instead)'
        )
    return tuple(names)
