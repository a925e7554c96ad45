import multiprocessing
import os
import signal
import threading
import time

import pytest

from mmseg_custom.utils.stop_signal import (
    TrainingStopped,
    is_stopping,
    name_of_signal,
    obey_parent_only,
    stopping_on_signal,
)


def test_the_signal_is_noted_and_its_handler_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping_on_signal():
        assert not is_stopping()
        os.kill(os.getpid(), signal.SIGTERM)
        assert is_stopping()
    assert signal.getsignal(signal.SIGTERM) == before
    with stopping_on_signal():
        assert not is_stopping()


def test_a_training_in_another_thread_ignores_the_signal_of_one_before():
    with stopping_on_signal():
        os.kill(os.getpid(), signal.SIGTERM)
    done = []

    def train():
        with stopping_on_signal():
            done.append(is_stopping())

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert done == [False]


def test_the_exit_code_is_that_of_a_process_ended_by_the_signal():
    assert TrainingStopped('').exit_code == 143
    with stopping_on_signal():
        os.kill(os.getpid(), signal.SIGINT)
        assert TrainingStopped('').exit_code == 130
        assert name_of_signal() == 'Ctrl-C'


def test_the_second_ctrl_c_ends_at_once():
    with stopping_on_signal():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)  # the first: a launcher may send both
        assert is_stopping()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def work(ready):
    obey_parent_only()
    ready.set()
    time.sleep(60)


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='macOS')
def test_a_worker_obeys_its_parent_only():
    context = multiprocessing.get_context('fork')
    ready = context.Event()
    worker = context.Process(target=work, args=(ready,))
    worker.start()
    assert ready.wait(30)
    for number in (signal.SIGTERM, signal.SIGINT):
        stranger = context.Process(target=os.kill, args=(worker.pid, number))
        stranger.start()
        stranger.join()
        worker.join(0.5)
        assert worker.is_alive()
    worker.terminate()
    worker.join(30)
    assert worker.exitcode == 0
