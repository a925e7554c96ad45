"""Options of experiments, predictions and servers that several commands have."""

import argparse

from .parsing import (
    existing_file,
    key_value,
    list_parts,
    named_part,
    natural_number,
    port_number,
    positive_int,
)

# The files of mmseg_custom/formats/kinds, which a test compares.
FORMATS = (
    'cityscapes',
    'coco',
    'cvat',
    'huggingface',
    'label_studio',
    'labelme',
    'masks',
    'voc',
    'yolo',
)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command that runs a config takes.

    These are ``--override``, ``--cfg-options`` and ``--launcher``.
    """
    add_config_changes(parser)
    add_launcher(parser)


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--option``, repeatable names of ``configs/_base_/options``."""
    parser.add_argument(
        '--option',
        nargs='+',
        action='extend',
        default=[],
        type=named_part('options', or_file=True),
        metavar='NAME',
        help=f'training options, in this order: {list_parts("options")}',
    )


def add_config_changes(parser: argparse.ArgumentParser) -> None:
    """Add ``--override`` and ``--cfg-options``."""
    parser.add_argument(
        '--override',
        type=existing_file,
        metavar='FILE',
        help='change the config by a YAML or JSON file, which cannot run code',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        type=key_value,
        default=[],
        metavar='KEY=VALUE',
        help='override the config, e.g. train_cfg.max_iters=100',
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument('--device', help='cpu, cuda:1, … (the first GPU, or the CPU)')


def add_pre_labels(parser: argparse.ArgumentParser) -> None:
    """Add ``--labels-as`` and ``--simplify``: labels for a person to correct."""
    parser.add_argument(
        '--labels-as',
        nargs='+',
        choices=FORMATS,
        default=[],
        metavar='FORMAT',
        help='also write labels to correct in a labeling tool, with confidences, to '
        f'DIR/labels/FORMAT: {", ".join(FORMATS)}',
    )
    parser.add_argument(
        '--simplify',
        type=natural_number,
        default=1.0,
        metavar='PIXELS',
        help='how far their outlines may move to have fewer corners (1; 0: exact masks)',
    )


def add_prediction_outputs(parser: argparse.ArgumentParser) -> None:
    """Add where predictions go: ``--out``, ``--overlays``, …, and :func:`add_pre_labels`."""
    parser.add_argument(
        '--out',
        required=True,
        metavar='DIR',
        help='folder to write to: DIR/masks, DIR/predictions.json (COCO)',
    )
    parser.add_argument(
        '--overlays', action='store_true', help='also draw the masks over the photos: DIR/overlays'
    )
    parser.add_argument(
        '--probabilities', action='store_true', help='also write float16 .npz: DIR/probabilities'
    )
    add_pre_labels(parser)


def add_address(parser: argparse.ArgumentParser, port: int) -> None:
    """Add what every server takes: ``--host`` and ``--port``."""
    parser.add_argument('--host', default='127.0.0.1', help='address (127.0.0.1: this machine)')
    parser.add_argument('--port', type=port_number, default=port, help=f'port ({port})')


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add ``--launcher``, for what runs in several processes."""
    parser.add_argument(
        '--launcher',
        choices=('none', 'pytorch', 'slurm', 'mpi'),
        default='none',
        help='set by the dist_*.sh and slurm_*.sh scripts',
    )


def add_augmentation(parser: argparse.ArgumentParser) -> None:
    """Add ``--augmentation``."""
    parser.add_argument(
        '--augmentation',
        type=named_part('augmentations'),
        metavar='NAME',
        help=f'augmentations of the training: {list_parts("augmentations")}',
    )


def add_tta(parser: argparse.ArgumentParser) -> None:
    """Add ``--tta``."""
    parser.add_argument(
        '--tta',
        type=named_part('tta'),
        metavar='NAME',
        help=f'average over test-time augmentations: {list_parts("tta")}',
    )


def add_max_side(parser: argparse.ArgumentParser) -> None:
    """Add ``--max-side``."""
    parser.add_argument(
        '--max-side',
        type=positive_int,
        metavar='PIXELS',
        help='shrink larger photos to this longer side before the model; masks are written in the '
        "photo's own size, probabilities and overlays in the smaller one",
    )


def add_tta_and_crf(parser: argparse.ArgumentParser) -> None:
    """Add what every command that predicts takes: ``--tta`` and ``--crf``."""
    add_tta(parser)
    parser.add_argument(
        '--crf',
        nargs='?',
        const='default',
        type=named_part('crf', or_file=True),
        metavar='NAME',
        help=f'refine with a dense CRF: {list_parts("crf")}, or a config file (default)',
    )
