"""Registered datasets (DATASETS) and samplers (DATA_SAMPLERS)."""

from .samplers import SeededInfiniteSampler
from .trash_coco import TrashCocoDataset

__all__ = ['SeededInfiniteSampler', 'TrashCocoDataset']
