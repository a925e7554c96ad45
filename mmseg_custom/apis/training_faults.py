"""Turn known faults of a training or a test into messages."""

import multiprocessing
import pickle
import re
import traceback
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager

from mmseg_custom.checkpoints.safe_load import untrusted
from mmseg_custom.utils import UserError

WORKER_KILLED = (
    'a data loading worker was killed, as happens when the memory is used up ({})',
    'worker-lost',
)
# What an exception's text matches: the message to give instead, and its kind.
FAULTS = {
    r'more than 1 value per channel': (
        'a batch of 1 photo per process is too small for BatchNorm in this model',
        'batch-of-one',
    ),
    r'DataLoader worker .*(Bus error|shared memory)': (
        'a data loading worker found no room in shared memory (/dev/shm): give the container more '
        'shared memory',
        'worker-lost',
    ),
    r'DataLoader worker': WORKER_KILLED,
    r'gloo/|Gloo |NCCL|ncclRemoteError|ProcessGroup': (
        'another process of this training ended or hangs; its own message, above or below, says '
        'why',
        'interrupted',
    ),
}


@contextmanager
def known_faults_as_messages() -> Iterator[None]:
    """Turn the faults of a training or a test that a person can fix into one message.

    Raises:
        UserError: Names the fault. Other exceptions are passed on.
    """
    try:
        yield
    except UserError:
        raise
    except urllib.error.URLError as error:
        raise UserError(
            f'the pretrained weights cannot be fetched ({error.reason}): connect to the network, '
            'or put the file into ~/.cache/torch/hub/checkpoints',
            kind='missing-pretrained',
        ) from error
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        if _came_from_worker(error):
            raise _error(WORKER_KILLED, str(error)) from error
        if isinstance(error, pickle.UnpicklingError):
            raise untrusted('a file of pretrained weights', error) from error
        raise
    except (RuntimeError, ValueError) as error:
        fault = find_fault(str(error))
        if fault is None:
            raise
        raise fault from error


@contextmanager
def ending_workers() -> Iterator[None]:
    """End the processes that the body started at once when it fails.

    Data loading workers get no other signal, and the process waits five seconds for each of them,
    longer than launchers allow.
    """
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise


def find_fault(text: str) -> UserError | None:
    """Return the error to raise for an exception's text, or None if it is no known fault."""
    for pattern, (message, kind) in FAULTS.items():
        if re.search(pattern, text):
            return _error((message, kind), text)
    return None


def _error(fault: tuple[str, str], text: str) -> UserError:
    message, kind = fault
    return UserError(message.format((text.splitlines() or [''])[0].strip('. ')), kind)


def _came_from_worker(error: BaseException) -> bool:
    """Return whether the connection to a data loading worker broke.

    PyTorch names a worker that was killed only if the kernel has reported its end already. What a
    worker itself raises comes in another way.
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name == '_try_get_data' for frame, _ in frames)
