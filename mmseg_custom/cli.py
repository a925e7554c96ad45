"""Share what all command lines have. Imports nothing heavy, so that ``--help`` answers at once.

A command line is a file with ``build_parser() -> ArgumentParser`` and
``run(args) -> int | None`` and ends with ``main(build_parser, run)``; whatever needs torch is
imported inside ``run``.
"""

import argparse
import errno
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mmseg_custom.utils.shared import part_names
from mmseg_custom.utils.spelling import did_you_mean

USER_ERRNOS = {
    errno.ENOSPC: 'the disk is full: free some space, or write to another place',
    errno.EDQUOT: 'the disk quota is used up: free some space, or write to another place',
    errno.EACCES: 'permission denied: choose a place you may read and write',
    errno.EROFS: 'the file system is read-only: choose another place to write to',
    errno.ENAMETOOLONG: 'the name is too long: choose a shorter one',
    errno.ENOENT: 'no such file or folder: check the path',
    errno.ENOTDIR: 'a part of the path is a file, not a folder: check the path',
    errno.EISDIR: 'this is a folder where a file is wanted: check the path',
    errno.EEXIST: 'this exists already and is not a folder: choose another place',
}


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that shows defaults and ends its help with an example.

    Args:
        example (str): One or more command lines that work as they stand.
        **kwargs: Passed to :class:`argparse.ArgumentParser`.
    """

    def __init__(self, example: str, **kwargs):
        super().__init__(
            epilog=f'example:\n  {example}',
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )


def existing_file(text: str) -> str:
    """Argument type: the path of a file that exists."""
    if not os.path.isfile(text):
        raise argparse.ArgumentTypeError(f'{text}: no such file{_similar_path(text)}')
    return text


def existing_dir(text: str) -> str:
    """Argument type: the path of a folder that exists."""
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f'{text}: no such folder{_similar_path(text)}')
    return text


def _similar_path(text: str) -> str:
    folder, name = os.path.split(text)
    try:
        return did_you_mean(name, os.listdir(folder or '.'))
    except (OSError, ValueError):
        return ''


def named_part(folder: str, or_file: bool = False) -> Callable[[str], str]:
    """Return an argument type: the name of a file in a folder of ``configs/_base_``.

    Args:
        folder: Such as ``losses``.
        or_file: Whether the path of another config is accepted, too.
    """

    def check(text: str) -> str:
        names = part_names(folder)
        if text in names or (or_file and text.endswith('.py') and os.path.isfile(text)):
            return text
        raise argparse.ArgumentTypeError(
            f'{text!r} is none of {", ".join(names)}{did_you_mean(text, names)}'
        )

    return check


def list_parts(folder: str) -> str:
    """Return the names that :func:`named_part` accepts, for a help text."""
    return ', '.join(part_names(folder))


def positive_int(text: str) -> int:
    """Argument type: a whole number of at least 1."""
    return _at_least(1, text)


def natural_int(text: str) -> int:
    """Argument type: a whole number of at least 0."""
    return _at_least(0, text)


def share(text: str) -> float:
    """Argument type: a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number from 0 to 1')
    return number


def key_value(text: str) -> str:
    """Argument type: ``KEY=VALUE``, left as it is."""
    if not text.partition('=')[0] or '=' not in text:
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form KEY=VALUE')
    return text


def _at_least(least: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < least:
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number of at least {least}')
    return number


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


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the positional model: ``args.config`` and ``args.checkpoint``."""
    parser.add_argument('config', type=existing_file, metavar='CONFIG', help='the experiment')
    parser.add_argument(
        'checkpoint', type=existing_file, metavar='CHECKPOINT', help='.pth or .safetensors file'
    )
    add_trust_option(parser)


def add_models(
    parser: argparse.ArgumentParser, text: str = 'a model; repeat it for each', **options
) -> None:
    """Add ``--model CONFIG CHECKPOINT``, which may be repeated: ``args.model``, a list of pairs."""
    parser.add_argument(
        '--model',
        nargs=2,
        action='append',
        default=[],
        metavar=('CONFIG', 'CHECKPOINT'),
        help=text,
        **options,
    )


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


def main(
    build_parser: Callable[[], argparse.ArgumentParser],
    run: Callable[[argparse.Namespace], int | None],
    argv: Sequence[str] | None = None,
) -> None:
    """Parse, run, and end the process: 0 or what ``run`` returns, 2 for a user's mistake.

    An exception with an ``exit_code`` (``mmseg_custom.utils.UserError``) and a system error that a
    person can mend (no disk, no permission, no such file) become one message; any other exception
    is a bug and keeps its traceback.
    """
    _print_whatever_there_is()
    args = build_parser().parse_args(argv)
    try:
        code = run(args) or 0
    except KeyboardInterrupt:
        _fail('stopped by the keyboard', 130)
    except BrokenPipeError:
        # The reader (`| head`) went away: that is its right, and no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        if error.errno not in USER_ERRNOS:
            raise
        _fail(f'{error.filename or error}: {USER_ERRNOS[error.errno]}', 2)
    except Exception as error:
        if not hasattr(error, 'exit_code'):
            raise
        _fail(str(error), error.exit_code)
    sys.stdout.flush()
    _leave_processes()
    sys.exit(code)


def _print_whatever_there_is() -> None:
    """Write characters that the terminal does not know as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def _leave_processes() -> None:
    """Take leave of the other processes: one whose threads still talk can abort as it exits."""
    distributed = sys.modules.get('torch.distributed')
    if distributed and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _fail(message: str, code: int) -> None:
    """Print ``message`` the way argparse does and leave with ``code``."""
    rank = int(os.environ.get('RANK', 0))
    where = f' (process {rank})' if rank else ''
    print(f'{Path(sys.argv[0]).name}: error{where}: {message}', file=sys.stderr, flush=True)
    sys.exit(code)
