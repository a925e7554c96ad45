"""Packages that only some of the commands need."""

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import UserError


@contextmanager
def needing(package: str, extra: str) -> Iterator[None]:
    """Turn a missing package into one message.

    Args:
        package (str): Name of the package.
        extra (str): The extra of trash-seg that installs it.

    Raises:
        UserError: The package is not installed; says how to install it.
    """
    try:
        yield
    except ImportError as error:
        raise UserError(f'{package} is missing: pip install -e ".[{extra}]"') from error
