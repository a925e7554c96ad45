"""Find the photos that cannot be read, before a command works on all of them."""

import os
from collections.abc import Sequence

from mmseg_custom.utils import UserError
from mmseg_custom.utils.parallel import in_threads

from .photos import read_reduced_gray


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
