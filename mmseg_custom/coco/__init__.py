"""Reading, checking and painting COCO annotations: plain functions, no registry."""

from .check import find_problems
from .classes import CLASSES, IGNORE_INDEX, PALETTE, name_key
from .paint import paint
from .palette import check_labels, colourise, load_mask, save_mask
from .read import HOW_TO_GET_DATA, coco_to_samples, read_coco, require_sound

__all__ = [
    'CLASSES',
    'HOW_TO_GET_DATA',
    'IGNORE_INDEX',
    'PALETTE',
    'check_labels',
    'coco_to_samples',
    'colourise',
    'find_problems',
    'load_mask',
    'name_key',
    'paint',
    'read_coco',
    'require_sound',
    'save_mask',
]
