"""Do the same work on many items at once."""

import gc
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
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


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], what: str
) -> Iterator[Result]:
    """Yield the results in order, with progress, from as many processes as there are cores.

    One item, or one core, is worked on in this process.

    Args:
        work: A function that can be pickled.
        items: As large that sending one to a process is worth it.
        what: Shown with the progress.
    """
    alone = min(WORKERS, len(items)) < 2
    with tqdm(total=len(items), desc=what, leave=False, disable=len(items) < 2) as bar:
        if alone:
            for item in items:
                yield work(item)
                bar.update()
            return
        with ProcessPoolExecutor(WORKERS, initializer=keep_shared) as pool:
            try:
                for result in pool.map(work, items):
                    yield result
                    bar.update()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def keep_shared() -> None:
    """Leave out of garbage collection what a forked process has from its parent.

    A collection writes to each object, so that the memory that both share becomes two copies.
    """
    gc.freeze()
