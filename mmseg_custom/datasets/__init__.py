"""Registered datasets (DATASETS) and samplers (DATA_SAMPLERS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .samplers import RepeatFactorSampler, SeededInfiniteSampler
from .trash_coco import TrashCocoDataset

__all__ = ['RepeatFactorSampler', 'SeededInfiniteSampler', 'TrashCocoDataset']
