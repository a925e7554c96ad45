"""What can happen to a training, as messages with the mend."""

import multiprocessing
import pickle
import re
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager

from mmseg_custom.checkpoints.safe_load import refusal
from mmseg_custom.utils import UserError

GO_ON = 'then start the same command with --resume'
# What an exception's text says, and what to tell instead.
MENDS = {
    r'more than 1 value per channel': (
        'a batch of 1 photo per process is too small for BatchNorm in this model: '
        'take --batch-size 2 or more'
    ),
    r'DataLoader worker .*(Bus error|shared memory)': (
        'a data loading worker found no room in shared memory (/dev/shm): give the container more '
        '(docker --shm-size), or --cfg-options train_dataloader.num_workers=0, ' + GO_ON
    ),
    r'DataLoader worker': (
        'a data loading worker was killed, as happens when the memory is used up ({}): take a '
        'lower train_dataloader.num_workers or --batch-size, ' + GO_ON
    ),
    r'gloo/|Gloo |NCCL|ncclRemoteError|ProcessGroup': (
        'another process of this training is gone or hangs; its own message, above or below, says '
        'why: mend that, ' + GO_ON
    ),
}


@contextmanager
def told_with_mend() -> Iterator[None]:
    """Turn the faults of a training that a person can mend into one message.

    Raises:
        UserError: Names the fault and the mend. Other exceptions stay what they are.
    """
    try:
        yield
    except UserError:
        raise
    except urllib.error.URLError as error:
        raise UserError(
            f'the pretrained weights cannot be fetched ({error.reason}): connect to the network, '
            'or put the file into ~/.cache/torch/hub/checkpoints, or train from random weights '
            'with --no-pretrained'
        ) from error
    except pickle.UnpicklingError as error:
        raise UserError(f'a file of pretrained weights {refusal(error)}') from error
    except (RuntimeError, ValueError) as error:
        mend = find_mend(str(error))
        if mend is None:
            raise
        raise UserError(mend) from error


@contextmanager
def ending_workers() -> Iterator[None]:
    """End the processes that the body started at once when it fails.

    Data loading workers are not told otherwise, and the process waits five seconds for each of
    them, longer than launchers leave it.
    """
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise


def find_mend(text: str) -> str | None:
    """Return the message for an exception's text, or None where it is no known fault."""
    for pattern, message in MENDS.items():
        if re.search(pattern, text):
            return message.format(text.splitlines()[0].strip('. '))
    return None
