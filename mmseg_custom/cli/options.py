"""Add the options that several commands have, so that one thing has one name everywhere."""

import argparse
from typing import TYPE_CHECKING

from .parsing import existing_dir, existing_file, key_value, list_parts, named_part, port_number

if TYPE_CHECKING:
    from mmseg_custom.classes import ClassList


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command that runs a config takes.

    These are ``--override``, ``--cfg-options`` and ``--launcher``.
    """
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
    add_launcher(parser)


def add_classes_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--classes``, which comes before what a model, a config or an annotation file says."""
    parser.add_argument(
        '--classes',
        metavar='NAME|FILE',
        help='the class list: a built-in name such as taco, or a YAML file',
    )


def given_classes(args: argparse.Namespace) -> 'ClassList | None':
    """Return the class list of ``--classes``, or None."""
    from mmseg_custom.classes import class_list

    return class_list(args.classes) if args.classes else None


def add_class_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes that reads annotations without a model.

    These are ``--classes`` and ``--class-map``.
    """
    add_classes_option(parser)
    parser.add_argument(
        '--class-map',
        type=existing_file,
        metavar='FILE',
        help='YAML or CSV: which class (or Background, or ignore) each name in ANN stands for',
    )


def add_ann(parser: argparse.ArgumentParser, text: str, several: bool = False) -> None:
    """Add the positional annotation file, or files, in COCO format: ``args.ann``."""
    if several:
        parser.add_argument('ann', nargs='+', metavar='ANN', help=text)
    else:
        parser.add_argument('ann', metavar='ANN', help=text)


def add_data_root(
    parser: argparse.ArgumentParser, text: str = 'folder that file names in ANN are relative to'
) -> None:
    """Add ``--data-root``."""
    parser.add_argument(
        '--data-root', type=existing_dir, metavar='DIR', help=f'{text} (the folder of ANN)'
    )


def add_folds_dir(parser: argparse.ArgumentParser, text: str) -> None:
    """Add ``--folds-dir``, the folder of ``kfold_0_val.json``, …; ``text`` says what it is for."""
    parser.add_argument('--folds-dir', metavar='DIR', type=existing_dir, help=text)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument('--device', help='cpu, cuda:1, … (the first GPU, or the CPU)')


def add_prediction_outputs(parser: argparse.ArgumentParser) -> None:
    """Add where predictions go: ``--out``, ``--overlays``, ``--probabilities``."""
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


def add_tta_and_crf(parser: argparse.ArgumentParser) -> None:
    """Add what every command that predicts takes: ``--tta`` and ``--crf``."""
    parser.add_argument(
        '--tta',
        type=named_part('tta'),
        metavar='NAME',
        help=f'average over test-time augmentations: {list_parts("tta")}',
    )
    parser.add_argument(
        '--crf',
        nargs='?',
        const='default',
        type=named_part('crf', or_file=True),
        metavar='NAME',
        help=f'refine with a dense CRF: {list_parts("crf")}, or a config file (default)',
    )
