"""Find the photos that are missing or cannot be read, before a command works on all of them."""

import os
from collections.abc import Sequence

from mmseg_custom.utils import UserError
from mmseg_custom.utils.parallel import in_threads
from mmseg_custom.utils.remote import is_file, list_folders

from .photos import read_reduced_gray


def require_photos(paths: Sequence[str | os.PathLike]) -> None:
    """Raise when photos are missing, before time is spent on the labels.

    Raises:
        UserError: Names the first one.
    """
    list_folders(paths)
    missing = [path for path in paths if not is_file(path)]
    if missing:
        raise UserError(
            f'{missing[0]}: no such photo ({len(missing)} of {len(paths)} are missing)',
            kind='missing-photos',
        )


def unreadable_photos(paths: Sequence[str | os.PathLike]) -> dict[int, str]:
    """Read photos at a quarter of their size, which shows whether they are complete.

    Args:
        paths: The photos; one that is listed several times is read once.

    Returns:
        dict[int, str]: The reason by the place in ``paths``, of those that cannot be read.
    """

    def problem(path: str | os.PathLike) -> str | None:
        try:
            read_reduced_gray(path)
        except UserError as error:
            return str(error)
        return None

    unique = list(dict.fromkeys(paths))
    reasons = dict(zip(unique, in_threads(problem, unique, 'reading'), strict=True))
    return {place: reason for place, path in enumerate(paths) if (reason := reasons[path])}
