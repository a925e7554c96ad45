"""The data sets in an experiment, and changing where they read."""

import os
from collections.abc import Iterator
from glob import glob

from mmengine.config import Config, ConfigDict

from mmseg_custom.coco.ann_files import AnnFiles
from mmseg_custom.coco.photo_root import AnnPath
from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.remote import is_address

# Data sets without labels of a person, beside which another one has the annotations.
UNLABELED = ('PseudoLabelledPhotos', 'UnlabelledPhotos')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def leaf_datasets(dataset: ConfigDict) -> Iterator[ConfigDict]:
    """Yield the dataset configs inside wrappers such as RepeatDataset and ConcatDataset."""
    if 'dataset' in dataset:
        yield from leaf_datasets(dataset['dataset'])
    elif 'datasets' in dataset:
        for inner in dataset['datasets']:
            yield from leaf_datasets(inner)
    else:
        yield dataset


def set_data_root(cfg: Config, data_root: str) -> None:
    """Let every dataset of ``cfg`` read from ``data_root``."""
    for loader in LOADERS:
        for dataset in leaf_datasets(cfg[loader].dataset) if cfg.get(loader) else ():
            dataset['data_root'] = data_root


def set_ann_file(cfg: Config, loader: str, ann_file: AnnPath) -> None:
    """Let the dataset of one loader, of several joined ones that with labels, read another JSON.

    Args:
        cfg: Changed in place.
        loader: One of :data:`LOADERS`.
        ann_file: A file, folder or glob pattern, or :class:`~mmseg_custom.coco.ann_files.AnnFiles`.
            Taken as it is if it is there, else relative to the data root.

    Raises:
        UserError: The loader joins several datasets with labels.
    """
    leaves = list(leaf_datasets(cfg[loader].dataset))
    leaves = [leaf for leaf in leaves if leaf.get('type') not in UNLABELED] or leaves
    if len(leaves) != 1:
        raise UserError(
            f'{loader} joins {len(leaves)} data sets: say in the config which shall read {ann_file}'
        )
    leaves[0]['ann_file'] = _as_setting(ann_file)


def _as_setting(path: AnnPath) -> str | list[str]:
    """Return what an experiment says of annotation files: absolute paths of what is there."""
    if isinstance(path, AnnFiles):
        return [str(_as_setting(one)) for one in path.paths]
    if is_address(path):
        return str(path)
    is_there = os.path.exists(path) or glob(str(path), recursive=True)
    return os.path.abspath(path) if is_there else str(path)
