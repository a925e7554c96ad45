"""Pools of processes, and processes that end with their parent."""

import gc
import os
import select
import signal
from pathlib import Path

import pytest

from mmseg_custom.utils import parallel
from mmseg_custom.utils.parallel import in_processes
from mmseg_custom.utils.parent_death import end_with_parent

TASKS = Path('/proc/self/task')


def double(number: int) -> int:
    if number == 13:
        raise ValueError('thirteen')
    return 2 * number


@pytest.mark.parametrize('count', [0, 1, 12])
def test_processes_give_the_results_in_order(count):
    assert list(in_processes(double, range(count), 'doubling')) == [2 * n for n in range(count)]


def objects_left_out(number: int) -> int:
    return gc.get_freeze_count()


def test_processes_do_not_collect_what_they_share_with_their_parent(monkeypatch):
    monkeypatch.setattr(parallel, 'WORKERS', 2)
    known, left_out = len(gc.get_objects()), gc.get_freeze_count()
    found = list(in_processes(objects_left_out, range(2), 'counting'))
    assert min(found) > left_out + known / 2
    # Not so in the parent, whose garbage would stay for ever.
    assert gc.get_freeze_count() == left_out


def test_an_error_in_a_process_is_raised_here():
    with pytest.raises(ValueError, match='thirteen'):
        list(in_processes(double, range(20), 'doubling'))


@pytest.mark.skipif(not TASKS.exists(), reason='only Linux has it')
def test_a_process_ends_with_its_parent_however_that_ends():
    here, there = os.pipe()
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:
            end_with_parent(signal.SIGKILL)
            os.write(there, str(os.getpid()).encode())
        signal.pause()
    child = os.pidfd_open(int(os.read(here, 20)))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert select.select([child], [], [], 200)[0], 'it still runs'
    for file in (here, there, child):
        os.close(file)
