"""Registered datasets (DATASETS) and samplers (DATA_SAMPLERS)."""

from .samplers import RepeatFactorSampler, SeededInfiniteSampler
from .trash_coco import TrashCocoDataset

__all__ = ['RepeatFactorSampler', 'SeededInfiniteSampler', 'TrashCocoDataset']
