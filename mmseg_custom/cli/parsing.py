"""Parse command lines: the parser and the types of arguments."""

import argparse
import math
import os
from collections.abc import Callable, Sequence
from typing import Any

from mmseg_custom.utils.addresses import why_not_plain
from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.model_folder import weights_path
from mmseg_custom.utils.remote import is_address, is_dir, is_file
from mmseg_custom.utils.shared import part_names
from mmseg_custom.utils.spelling import did_you_mean

MAX_PORT = 65_535


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that shows defaults and ends its help with an example.

    Args:
        example (str): One or more command lines that work as they stand; a subcommand has none.
        **kwargs: Passed to :class:`argparse.ArgumentParser`.
    """

    def __init__(self, example: str = '', **kwargs):
        super().__init__(
            epilog=f'example:\n  {example}' if example else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )
        self._splitting = False

    def parse_known_args(  # type: ignore[override]  # typeshed has overloads of the namespace
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse, with options anywhere between positional arguments.

        argparse alone takes ``CONFIG --option CHECKPOINT`` for a model without a checkpoint, since
        a positional of several words ends at the first option.
        """
        if self._splitting or any(action.nargs == argparse.PARSER for action in self._actions):
            return super().parse_known_args(args, namespace)
        self._splitting = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._splitting = False


def existing_file(text: str) -> str:
    """Argument type: the path of a file that exists."""
    if os.path.isfile(text):
        return text
    if os.path.isdir(text):
        raise argparse.ArgumentTypeError(f'{text}: is a folder; name a file')
    if os.path.exists(text):
        # Such as a pipe: files are read more than once.
        raise argparse.ArgumentTypeError(f'{text}: is no plain file; save it as one')
    raise argparse.ArgumentTypeError(f'{text}: no such file{_similar_path(text)}')


def model_file(text: str) -> str:
    """Argument type: a file that exists, or a model folder, which stands for its weights."""
    if not os.path.isdir(text):
        return existing_file(text)
    try:
        return weights_path(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def existing_dir(text: str) -> str:
    """Argument type: the path of a folder that exists."""
    if why_not := why_not_plain(text):
        raise argparse.ArgumentTypeError(why_not)
    if os.path.isdir(text):
        return text
    if os.path.exists(text):
        raise argparse.ArgumentTypeError(f'{text}: is a file; name a folder')
    raise argparse.ArgumentTypeError(f'{text}: no such folder{_similar_path(text)}')


def data_folder(text: str) -> str:
    """Argument type: a folder of photos that exists, or the address of one."""
    if is_address(text) and is_dir(text):
        return text
    return existing_dir(text)


def data_file(text: str) -> str:
    """Argument type: an annotation file that exists, or the address of one."""
    if is_address(text) and is_file(text):
        return text
    return existing_file(text)


def existing_path(text: str) -> str:
    """Argument type: the path of a file or folder that exists."""
    if not os.path.exists(text):
        raise argparse.ArgumentTypeError(f'{text}: no such file or folder{_similar_path(text)}')
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


def positive_int_or_auto(text: str) -> int | str:
    """Argument type: a whole number of at least 1, or ``auto``."""
    return text if text == 'auto' else _at_least(1, text)


def natural_int(text: str) -> int:
    """Argument type: a whole number of at least 0."""
    return _at_least(0, text)


def port_number(text: str) -> int:
    """Argument type: a port to serve on, 1 to 65535."""
    number = _at_least(1, text)
    if number > MAX_PORT:
        raise argparse.ArgumentTypeError(f'{text!r} is no port; the last one is {MAX_PORT}')
    return number


def positive_number(text: str) -> float:
    """Argument type: a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number above 0')
    return number


def natural_number(text: str) -> float:
    """Argument type: a finite number, 0 or above."""
    return 0.0 if text.strip() in ('0', '0.0') else positive_number(text)


def share(text: str) -> float:
    """Argument type: a fraction, from 0 to 1."""
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
