"""Registered transforms (TRANSFORMS)."""

from .copy_paste import CopyPaste
from .load_trash_annotations import LoadTrashAnnotations
from .load_trash_image import LoadTrashImage
from .random_scale_crop import RandomScaleCrop

__all__ = ['CopyPaste', 'LoadTrashAnnotations', 'LoadTrashImage', 'RandomScaleCrop']
