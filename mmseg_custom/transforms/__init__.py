"""Registered transforms (TRANSFORMS)."""

from .load_trash_annotations import LoadTrashAnnotations
from .load_trash_image import LoadTrashImage
from .random_scale_crop import RandomScaleCrop

__all__ = ['LoadTrashAnnotations', 'LoadTrashImage', 'RandomScaleCrop']
