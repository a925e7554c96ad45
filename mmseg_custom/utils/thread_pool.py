"""Threads that are really gone when their work is done."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

LONGEST_WAIT = 10.0  # seconds


@contextmanager
def thread_pool(workers: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool of threads; wait at the end until the system has none of them any more.

    Python counts a thread as ended before it leaves the C libraries that it used. OpenCV holds a
    lock while a thread leaves it, and a process that is forked in this moment, such as a data
    loading worker, never gets that lock.

    Args:
        workers: Number of threads; None: as many as there are cores.
    """
    started: list[int] = []
    with ThreadPoolExecutor(
        workers or os.cpu_count(), initializer=lambda: started.append(threading.get_native_id())
    ) as pool:
        yield pool
    deadline = time.monotonic() + LONGEST_WAIT
    # Other systems than Linux have no such folder, and do not fork.
    while any(os.path.exists(f'/proc/self/task/{number}') for number in started):
        if time.monotonic() > deadline:
            return
        time.sleep(0.001)
