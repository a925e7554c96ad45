"""Options of annotations and classes that several commands have: one thing has one name."""

import argparse
from typing import TYPE_CHECKING

from .parsing import data_folder, existing_dir, existing_file

if TYPE_CHECKING:
    from mmseg_custom.classes import ClassList


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
    """Add what every command takes that reads annotations: ``--classes`` and ``--class-map``."""
    add_classes_option(parser)
    add_class_map(parser)


def add_class_map(parser: argparse.ArgumentParser) -> None:
    """Add ``--class-map``."""
    parser.add_argument(
        '--class-map',
        type=existing_file,
        metavar='FILE',
        help='YAML or CSV: which class (or Background, or ignore) each name in the annotations '
        'stands for',
    )


def add_ann(parser: argparse.ArgumentParser, text: str, several: bool = False) -> None:
    """Add the positional annotation file in COCO format: ``args.ann``.

    Args:
        parser: The parser.
        text: What it is for.
        several: Each file is a set of its own, and ``args.ann`` is the list of them. Otherwise
            several files, folders and glob patterns are one set.
    """
    if several:
        parser.add_argument('ann', nargs='+', metavar='ANN', help=text)
    else:
        parser.add_argument(
            'ann',
            nargs='+',
            action=AnnAction,
            metavar='ANN',
            help=f'{text}; several files, a folder or a pattern in quotes are joined',
        )


def add_ann_option(parser: argparse.ArgumentParser, name: str, text: str, **options) -> None:
    """Add an option of one or several annotation files that are joined.

    Args:
        parser: The parser.
        name: Of the option, such as ``--train-json``.
        text: What it is for.
        **options: More for ``add_argument``.
    """
    more = f'{text}; several are joined'
    parser.add_argument(name, nargs='+', action=AnnAction, metavar='ANN', help=more, **options)


class AnnAction(argparse.Action):
    """Take one path as it is, several as :class:`~mmseg_custom.coco.ann_files.AnnFiles`."""

    def __call__(self, parser, namespace, values, option_string=None):
        """Store the path."""
        if len(values) > 1:
            from mmseg_custom.coco.ann_files import AnnFiles

            setattr(namespace, self.dest, AnnFiles(values))
        else:
            setattr(namespace, self.dest, values[0])


def add_data_root(
    parser: argparse.ArgumentParser, text: str = 'folder that file names in ANN are relative to'
) -> None:
    """Add ``--data-root``."""
    parser.add_argument(
        '--data-root', type=data_folder, metavar='DIR', help=f'{text} (the folder of ANN)'
    )


def add_folds_dir(parser: argparse.ArgumentParser, text: str, required: bool = False) -> None:
    """Add ``--folds-dir``, the folder of ``kfold_0_val.json``, …; ``text`` says what it is for."""
    parser.add_argument(
        '--folds-dir', metavar='DIR', type=existing_dir, required=required, help=text
    )
