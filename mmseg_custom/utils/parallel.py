"""Do the same work on many items at once."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mmseg_custom.utils.progress import tqdm

from .thread_pool import thread_pool

WORKERS = os.cpu_count() or 1
Item = TypeVar('Item')
Result = TypeVar('Result')


def in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], what: str, silent: bool = False
) -> Iterator[Result]:
    """Yield the results in order, with progress; only some are made ahead."""
    with (
        thread_pool(WORKERS) as pool,
        tqdm(total=len(items), desc=what, unit='photo', leave=False, disable=silent) as bar,
    ):
        running = deque()
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) > 2 * WORKERS:
                yield running.popleft().result()
                bar.update()
        for future in running:
            yield future.result()
            bar.update()
