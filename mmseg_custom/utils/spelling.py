"""Suggest the nearest known name for a mistyped one."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'flip'?"``, or an empty text if no name is near.

    Args:
        word: What was typed.
        known: The valid names. Upper and lower case are the same.
    """
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f'; did you mean {by_lower[near[0]]!r}?' if near else ''
