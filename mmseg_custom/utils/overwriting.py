"""The guard of all commands that read and write: no input is written over."""

import os
from collections.abc import Iterable
from pathlib import Path

from .errors import UserError


def refuse_overwriting(
    outputs: Iterable[str | os.PathLike], inputs: Iterable[str | os.PathLike]
) -> None:
    """Raise when a file that is to be written is one that is read.

    Links count: two names of one file are the same file.

    Args:
        outputs: Files, or folders of which every file may be replaced.
        inputs: Files and folders.

    Raises:
        UserError: Names the file.
    """
    read = {identity: path for path in inputs if (identity := _identity(path))}
    for output in outputs:
        identity = _identity(output)
        if identity in read and identity is not None:
            raise UserError(
                f'{output}: would be written over, but it is an input ({read[identity]})',
                kind='output-is-input',
            )


def _identity(path: str | os.PathLike) -> tuple[int, int] | None:
    """Return what is the same for all names of a file; None where there is none."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
