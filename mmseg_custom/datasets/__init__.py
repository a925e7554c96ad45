"""Registered datasets (DATASETS) and samplers (DATA_SAMPLERS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .pseudo_labelled_photos import PseudoLabelledPhotos
from .samplers import MultiSourceSampler, RepeatFactorSampler, SeededInfiniteSampler
from .trash_coco import TrashCocoDataset
from .unlabelled_photos import UnlabelledPhotos

__all__ = [
    'MultiSourceSampler',
    'PseudoLabelledPhotos',
    'RepeatFactorSampler',
    'SeededInfiniteSampler',
    'TrashCocoDataset',
    'UnlabelledPhotos',
]
