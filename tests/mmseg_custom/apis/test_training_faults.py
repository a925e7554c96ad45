"""A worker that is gone is one message, however PyTorch notices it."""

import pickle

import pytest
from torch.utils.data import DataLoader

from mmseg_custom.apis.training_faults import ending_workers, known_faults_as_messages
from mmseg_custom.utils import UserError


class Broken:
    """Fails where it is received, as the file descriptors of a worker that was killed do."""

    def __init__(self, error: Exception):
        self.error = error

    def __reduce__(self):
        return fail, (self.error,)


class Wrong:
    """Fails where it is made, in the worker."""

    def __init__(self, error: Exception):
        self.error = error

    def __getitem__(self, _):
        raise self.error

    def __len__(self):
        return 1


def fail(error):
    raise error


ERRORS = [
    ConnectionResetError(104, 'Connection reset by peer'),
    # The command lines end with 0 at one of these: the reader of their output has closed the pipe.
    BrokenPipeError(32, 'Broken pipe'),
    # These would be said to be a wrong path.
    FileNotFoundError(2, 'No such file or directory'),
    ConnectionRefusedError(111, 'Connection refused'),
    EOFError(),
    pickle.UnpicklingError('pickle data was truncated'),
]


def first_of(items):
    loader = DataLoader(items, num_workers=1, collate_fn=list, multiprocessing_context='fork')
    return next(iter(loader))


@pytest.mark.slow
@pytest.mark.parametrize('error', ERRORS, ids=lambda error: type(error).__name__)
def test_a_connection_to_a_worker_that_breaks_is_named(error):
    killed = pytest.raises(UserError, match='a data loading worker was killed')
    with killed as found, known_faults_as_messages(), ending_workers():
        first_of([Broken(error)])
    assert found.value.kind == 'worker-lost'


def test_what_a_worker_raises_itself_stays_what_it_is():
    gone = pytest.raises(FileNotFoundError, match='the disk is gone')
    with gone, known_faults_as_messages(), ending_workers():
        first_of(Wrong(FileNotFoundError('the disk is gone')))
    with pytest.raises(ConnectionResetError), known_faults_as_messages():
        raise ERRORS[0]
