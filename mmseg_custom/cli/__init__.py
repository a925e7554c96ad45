"""Share what all command lines have. Imports nothing heavy, so that ``--help`` answers at once.

A command line is a file with ``build_parser() -> ArgumentParser`` and
``run(args) -> int | None`` and ends with ``main(build_parser, run)``; whatever needs torch is
imported inside ``run``.
"""

from .continuing import add_continue_options, continue_options, given, report_skipped
from .data_options import (
    add_ann,
    add_ann_option,
    add_class_map,
    add_class_options,
    add_classes_option,
    add_data_root,
    add_folds_dir,
    given_classes,
)
from .entry import main
from .model_options import (
    add_model,
    add_models,
    add_trust_option,
    load_segmenter,
    split_model,
    trust_checkpoints,
)
from .options import (
    add_address,
    add_augmentation,
    add_config_changes,
    add_config_options,
    add_device,
    add_launcher,
    add_max_side,
    add_prediction_outputs,
    add_training_options,
    add_tta,
    add_tta_and_crf,
)
from .parsing import (
    Parser,
    existing_dir,
    existing_file,
    existing_path,
    key_value,
    list_parts,
    model_file,
    named_part,
    natural_int,
    port_number,
    positive_int,
    positive_int_or_auto,
    positive_number,
    share,
)

__all__ = [
    'Parser',
    'add_address',
    'add_ann',
    'add_ann_option',
    'add_augmentation',
    'add_class_map',
    'add_class_options',
    'add_classes_option',
    'add_config_changes',
    'add_config_options',
    'add_continue_options',
    'add_data_root',
    'add_device',
    'add_folds_dir',
    'add_launcher',
    'add_max_side',
    'add_model',
    'add_models',
    'add_prediction_outputs',
    'add_training_options',
    'add_trust_option',
    'add_tta',
    'add_tta_and_crf',
    'continue_options',
    'existing_dir',
    'existing_file',
    'existing_path',
    'given',
    'given_classes',
    'key_value',
    'list_parts',
    'load_segmenter',
    'model_file',
    'main',
    'named_part',
    'natural_int',
    'port_number',
    'positive_int',
    'positive_int_or_auto',
    'positive_number',
    'report_skipped',
    'share',
    'split_model',
    'trust_checkpoints',
]
