"""Reading, checking and painting COCO annotations: plain functions, no registry."""

from mmseg_custom.classes import IGNORE_INDEX, name_key
from mmseg_custom.coco.convert.cleanup import drop_specks, mode_filter
from mmseg_custom.coco.convert.taco import read_taco
from mmseg_custom.coco.convert.taco_photos import convert_taco
from mmseg_custom.coco.sampling.folds import (
    fold_shares,
    max_deviation,
    plain_folds,
    split_content,
    stratified_folds,
)
from mmseg_custom.coco.sampling.repeat_factors import (
    labels_of_names,
    listed_factors,
    repeat_images,
    round_factors,
    threshold_factors,
)
from mmseg_custom.coco.stats.class_counts import class_counts, pixel_counts, require_annotated
from mmseg_custom.coco.stats.class_weights import class_weights

from .check import find_problems
from .choose import classes_of_files
from .describe_masks import masks_to_coco
from .masks import mask_annotations, write_masks
from .near_duplicates import duplicate_groups
from .paint import paint
from .palette import check_labels, colorize, load_mask, save_mask
from .read import coco_to_samples, read_coco, require_valid
from .write import make_coco

__all__ = [
    'IGNORE_INDEX',
    'check_labels',
    'class_counts',
    'class_weights',
    'classes_of_files',
    'coco_to_samples',
    'colorize',
    'make_coco',
    'convert_taco',
    'drop_specks',
    'duplicate_groups',
    'find_problems',
    'fold_shares',
    'labels_of_names',
    'listed_factors',
    'load_mask',
    'mask_annotations',
    'masks_to_coco',
    'max_deviation',
    'mode_filter',
    'name_key',
    'paint',
    'pixel_counts',
    'plain_folds',
    'read_coco',
    'read_taco',
    'repeat_images',
    'require_annotated',
    'require_valid',
    'round_factors',
    'save_mask',
    'split_content',
    'stratified_folds',
    'threshold_factors',
    'write_masks',
]
