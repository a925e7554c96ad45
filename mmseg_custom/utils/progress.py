"""Show progress: a bar on a terminal, elsewhere a line every ten seconds."""

import math
import sys
from collections.abc import Callable

from tqdm import tqdm as _tqdm

# Seconds between lines off a terminal; shorter work prints none.
QUIET = 10.0
LINE = '{desc}: {n_fmt}/{total_fmt} {unit}, {elapsed} elapsed, {remaining} left{postfix}'


class tqdm(_tqdm):  # noqa: N801  (the name that everybody knows)
    """A progress bar that writes complete lines where standard error is no terminal.

    A log file or a CI page shows every redraw of a bar as text.

    Args:
        iterable: See ``tqdm.tqdm``, also for the others.
        desc: What is done.
        total: The number of items.
        leave: Whether the bar stays when all is done.
        **kwargs: More of it.
    """

    disable = True

    def __init__(
        self,
        iterable=None,
        desc: str | None = None,
        total: float | None = None,
        leave: bool | None = True,
        **kwargs,
    ):
        if not sys.stderr.isatty():
            kwargs |= dict(mininterval=QUIET, maxinterval=QUIET, miniters=1, delay=QUIET)
            kwargs |= dict(bar_format=LINE)
            desc, leave = desc or 'done', False
        super().__init__(iterable, desc, total, leave, **kwargs)

    def close(self) -> None:
        """Close the bar; off a terminal there is nothing to erase."""
        if not sys.stderr.isatty() and not self.disable:
            # tqdm skips the drawing of a bar that was not shown yet.
            self.last_print_t = -math.inf
        super().close()

    def moveto(self, n: int) -> None:
        """Move to the line of a bar inside another; off a terminal each has lines of its own."""
        if sys.stderr.isatty():
            super().moveto(n)

    @staticmethod
    def status_printer(file) -> Callable[[str], None]:
        """Return the function that shows a state of the bar."""
        if sys.stderr.isatty():
            return _tqdm.status_printer(file)

        def print_line(text: str) -> None:
            print(text, file=sys.stderr, flush=True)

        return print_line
