"""SIGTERM, Ctrl-C and a time limit: requests to stop where the training can be continued."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIGNAL = signal.SIGTERM
NAMES = {signal.SIGTERM: 'SIGTERM', signal.SIGINT: 'Ctrl-C'}
TIMED_OUT = 124
# Names the file by which tools/slurm_common.sh learns that the training stopped on purpose.
STOPPED_FILE = 'TRASH_SEG_STOPPED'
_came: list[int] = []


class TrainingStopped(Exception):
    """The training was stopped by a signal or its time limit and can be resumed.

    Command lines end with ``exit_code``, which is the one that shells give to a process that was
    ended by the signal, and for a time limit that of ``timeout``.

    Args:
        message: What was stopped and written.
        timed_out: Whether the time was over.
    """

    kind = 'interrupted'

    def __init__(self, message: str, timed_out: bool = False):
        super().__init__(message)
        self.exit_code = TIMED_OUT if timed_out else 128 + (_came[0] if _came else SIGNAL)


@contextmanager
def stopping_on_signal() -> Iterator[None]:
    """Note SIGTERM and Ctrl-C instead of ending at once; :func:`is_stopping` reports them.

    The second Ctrl-C ends the process at once. Outside the main thread, where Python does not
    allow it, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _note) for number in NAMES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _came.clear()


def is_stopping() -> bool:
    """Return whether a signal came."""
    return bool(_came)


def name_of_signal() -> str:
    """Return the name of the signal that came first; where another process got it, SIGTERM's."""
    return NAMES[signal.Signals(_came[0])] if _came else NAMES[SIGNAL]


def note_stop() -> None:
    """Leave the file that the launcher asked for: the training can be continued.

    An exit code cannot say so: launchers end processes by SIGTERM after a mistake as well.
    """
    path = os.environ.get(STOPPED_FILE)
    if path:
        # On the other nodes of a job there is no such folder, and nobody looks.
        with suppress(FileNotFoundError):
            Path(path).touch()


def obey_parent_only() -> None:
    """Let this process, a data loading worker, end at a SIGTERM of its parent and no other.

    Slurm sends the signal to all processes of a job, a terminal its Ctrl-C to the full group. A
    worker that ends takes the training down before its checkpoint is written.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not hasattr(signal, 'sigwaitinfo'):  # macOS
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {SIGNAL})
    threading.Thread(target=_wait_for_parent, args=(os.getppid(),), daemon=True).start()


def _note(number: int, frame) -> None:
    if number == signal.SIGINT and signal.SIGINT in _came:
        raise KeyboardInterrupt
    _came.append(number)
    if number == signal.SIGINT:
        text = '\nstopping after this iteration and its checkpoint; Ctrl-C again ends at once\n'
        os.write(2, text.encode())


def _wait_for_parent(parent: int) -> None:
    while signal.sigwaitinfo({SIGNAL}).si_pid != parent:
        pass
    os._exit(0)
