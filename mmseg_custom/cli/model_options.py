"""Add the options of the models that a command runs, and of trusting their files."""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .data_options import given_classes
from .parsing import model_file

if TYPE_CHECKING:
    from mmseg_custom.apis.segmentation import Segmenter


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the positional model, ``[CONFIG] CHECKPOINT``: ``args.config`` and ``args.checkpoint``.

    A checkpoint that tools/train.py wrote, and a model folder, which stands for the checkpoint in
    it, carry their experiment: ``args.config`` is then None.
    """
    parser.add_argument(
        'checkpoint',
        nargs='+',
        type=model_file,
        action=ModelAction,
        metavar='MODEL',
        help='CHECKPOINT (.pth or .safetensors) that tools/train.py wrote, CONFIG CHECKPOINT, or a '
        'model folder, such as weights/trash11',
    )
    parser.set_defaults(config=None)
    add_trust_option(parser)


class ModelAction(argparse.Action):
    """Take ``CHECKPOINT`` or ``CONFIG CHECKPOINT``.

    A positional sets ``config`` (None if it is not given) and ``checkpoint``; an option that may be
    repeated appends the pair of them.
    """

    def __call__(self, parser, namespace, values, option_string=None):
        """Store one model."""
        config, checkpoint = split_model(values)
        if len(values) > 2:
            parser.error(f'{" ".join(values)}: a model is CHECKPOINT, or CONFIG CHECKPOINT')
        if checkpoint.endswith('.py'):
            parser.error(f'{checkpoint}: is a config; its checkpoint is missing')
        if option_string is None:
            namespace.config, namespace.checkpoint = config, checkpoint
        else:
            pairs = [*(getattr(namespace, self.dest) or []), (config, checkpoint)]
            setattr(namespace, self.dest, pairs)


def split_model(values: Sequence[str]) -> tuple[str | None, str]:
    """Return config, None if it is not given, and checkpoint of ``[CONFIG] CHECKPOINT``."""
    return (values[0], values[1]) if len(values) > 1 else (None, values[0])


def add_models(
    parser: argparse.ArgumentParser, text: str = 'a model; repeat it for each', **options
) -> None:
    """Add ``--model [CONFIG] CHECKPOINT``, repeatable: ``args.model``, pairs of both or None."""
    parser.add_argument(
        '--model',
        nargs='+',
        type=model_file,
        action=ModelAction,
        default=[],
        metavar='MODEL',
        help=text,
        **options,
    )


def load_segmenter(
    args: argparse.Namespace, model: Sequence[str], probabilities: bool = False
) -> 'Segmenter':
    """Load the model of a command line, an exported one without importing torch.

    Args:
        args: With ``device``; and ``tta``, ``classes`` and ``trust_checkpoint``, if the command has
            them.
        model: ``[CONFIG] CHECKPOINT``, or a file that tools/export.py wrote.
        probabilities: Whether the command needs them, and not labels alone.

    Raises:
        UserError: The model cannot be loaded, or an option does not fit an exported one.
    """
    from mmseg_custom.apis.exported_formats import load_exported, suffix_of
    from mmseg_custom.utils import UserError

    tta = getattr(args, 'tta', None)
    classes = given_classes(args) if hasattr(args, 'classes') else None
    if suffix_of(model[0]) is None:
        from mmseg_custom.apis import TrashSegmenter

        trust_checkpoints(args, model[-1])
        config, checkpoint = split_model(model)
        return TrashSegmenter(config, checkpoint, args.device, tta, classes)
    for name in ('tta', 'device'):
        if getattr(args, name, None):
            raise UserError(f'{model[0]}: --{name} needs a checkpoint, not an exported model')
    segmenter = load_exported(model[0], classes)
    if probabilities and not segmenter.has_probabilities:
        raise UserError(
            f'{model[0]}: has labels only: it was exported with tools/export.py --argmax'
        )
    return segmenter


def add_trust_option(parser: argparse.ArgumentParser) -> None:
    """Add what every command that loads a checkpoint takes: ``--trust-checkpoint``."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load a .pth file that holds more than weights, which can run any code',
    )


def trust_checkpoints(args: argparse.Namespace, *paths: str | os.PathLike) -> None:
    """Load ``paths`` without restrictions if ``--trust-checkpoint`` was given."""
    if args.trust_checkpoint:
        from mmseg_custom.checkpoints.safe_load import trust

        trust(*paths)
