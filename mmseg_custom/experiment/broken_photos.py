"""Leave photos out that cannot be read, where an experiment's data is measured or shown."""

from typing import Any

from mmengine.config import ConfigDict
from mmseg.registry import DATASETS

from mmseg_custom.datasets import TrashCocoDataset

from .datasets import leaf_datasets


def skip_broken(dataset: ConfigDict) -> None:
    """Let a data set leave out photos that cannot be read, as far as its class can do so.

    Args:
        dataset: The config of a data set, changed in place.
    """
    for leaf in leaf_datasets(dataset):
        kind = DATASETS.get(leaf.type) if isinstance(leaf.type, str) else leaf.type
        if isinstance(kind, type) and issubclass(kind, TrashCocoDataset):
            leaf.skip_broken = True


def skipped_photos(dataset: Any) -> list[str]:
    """Return why photos of a data set were left out, through wrappers."""
    inner = [*getattr(dataset, 'datasets', ()), *filter(None, [getattr(dataset, 'dataset', None)])]
    below = [reason for part in inner for reason in skipped_photos(part)]
    return [*getattr(dataset, 'skipped', ()), *below]
