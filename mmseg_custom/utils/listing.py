"""Name a few of many things in one line."""

from collections.abc import Sequence


def listing(names: Sequence[str], shown: int = 4) -> str:
    """Return the first names, separated by commas, and how many more there are.

    Args:
        names: What to name.
        shown: How many names are written, at least 1.
    """
    more = len(names) - shown
    return ', '.join(names[:shown]) + (f' and {more} more' if more > 0 else '')
