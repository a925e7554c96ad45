import ctypes
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from mmseg_custom.utils.thread_pool import thread_pool

TASKS = '/proc/self/task'
pytestmark = pytest.mark.skipif(not os.path.isdir(TASKS), reason='the system has no /proc')


@pytest.fixture
def leave_slowly():
    """Return a function that lets its thread take a fifth of a second to leave a C library."""
    libc = ctypes.CDLL(None)
    key = ctypes.c_uint()
    # The destructor of the thread's value is usleep(value).
    assert (
        libc.pthread_key_create(ctypes.byref(key), ctypes.cast(libc.usleep, ctypes.c_void_p)) == 0
    )
    yield lambda _: libc.pthread_setspecific(key, ctypes.c_void_p(200_000))
    libc.pthread_key_delete(key)


def test_threads_are_gone_from_the_system(leave_slowly):
    def left(pool_of) -> set:
        before = set(os.listdir(TASKS))
        with pool_of(2) as pool:
            assert list(pool.map(leave_slowly, range(4))) == [0] * 4
        return set(os.listdir(TASKS)) - before

    assert left(ThreadPoolExecutor), "Python's own pool waits as well: thread_pool is not needed"
    assert not left(thread_pool)


def test_an_error_of_the_work_is_raised():
    with pytest.raises(ZeroDivisionError), thread_pool(1) as pool:
        pool.submit(lambda: 1 / 0).result()
