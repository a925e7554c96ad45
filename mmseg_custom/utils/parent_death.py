"""End a process with the one that started it."""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CHECK_SECONDS, GRACE_SECONDS = 2, 60


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Let the kernel send this process a signal when its parent ends, however that ends.

    A launcher that is killed (``kill -9``, out of memory) cannot end its processes itself. Only
    Linux can do this; elsewhere nothing happens.

    Args:
        number: The signal. SIGTERM stops a training after a checkpoint.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def outlive_parent_shortly() -> None:
    """Send this process SIGTERM when its parent ends, and end it a minute later in any case.

    A training that waits for processes that are gone as well does not come to its next iteration.
    """
    end_with_parent()
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(CHECK_SECONDS)
    time.sleep(GRACE_SECONDS)
    os._exit(128 + signal.SIGKILL)
