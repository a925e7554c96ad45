"""SIGTERM as a wish that the training stops where it can be continued."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNAL = signal.SIGTERM
_came = threading.Event()


class TrainingStopped(Exception):
    """The training was stopped by SIGTERM and can be resumed.

    Command lines end with ``exit_code``, which is the one that shells give to a process that was
    ended by SIGTERM.
    """

    exit_code = 128 + SIGNAL
    kind = 'interrupted'


@contextmanager
def stopping_on_signal() -> Iterator[None]:
    """Note SIGTERM instead of ending at once; :func:`is_stopping` tells.

    Outside the main thread, where Python does not allow it, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _came.clear()
    before = signal.signal(SIGNAL, lambda number, frame: _came.set())
    try:
        yield
    finally:
        signal.signal(SIGNAL, before)


def is_stopping() -> bool:
    """Tell whether SIGTERM came."""
    return _came.is_set()


def obey_parent_only() -> None:
    """Let this process, a data loading worker, end at a SIGTERM of its parent and no other.

    Slurm sends the signal to all processes of a job. A worker that ends takes the training down
    before its checkpoint is written.
    """
    if not hasattr(signal, 'sigwaitinfo'):  # macOS
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {SIGNAL})
    threading.Thread(target=_wait_for_parent, args=(os.getppid(),), daemon=True).start()


def _wait_for_parent(parent: int) -> None:
    while signal.sigwaitinfo({SIGNAL}).si_pid != parent:
        pass
    os._exit(0)
