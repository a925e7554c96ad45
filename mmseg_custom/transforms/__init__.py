"""Registered transforms (TRANSFORMS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .copy_paste import CopyPaste
from .load_trash_annotations import LoadTrashAnnotations
from .load_trash_image import LoadTrashImage
from .photo_metric_tables import PhotoMetricTables
from .random_resized_crop import RandomResizedCrop
from .random_scale_crop import RandomScaleCrop
from .seeded_albu import SeededAlbu

__all__ = [
    'CopyPaste',
    'LoadTrashAnnotations',
    'LoadTrashImage',
    'PhotoMetricTables',
    'RandomResizedCrop',
    'RandomScaleCrop',
    'SeededAlbu',
]
