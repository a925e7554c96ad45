"""A server of apps/ in a process of its own; tests import it as `from serving import served`."""

import os
import signal
import socket
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from processes import ToolProcess

START_SECONDS, STOP_SECONDS = 90, 60


@contextmanager
def served(tool: str, *arguments, folder, ignored=None, env=None):
    """Start a tool on a free port; yields its address and process, and stops it by Ctrl-C."""
    port = free_port()
    process = ToolProcess(
        tool, *arguments, '--port', str(port), folder=folder, ignored=ignored, env=env
    )
    address = f'http://127.0.0.1:{port}'
    try:
        wait_for(address, process)
        yield address, process
    finally:
        stop(process)
    assert 'Traceback' not in process.said(), process.said()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def stop(process) -> None:
    """Press Ctrl-C; report where the server stands if it does not end."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGINT)
        process.wait(STOP_SECONDS)


def wait_for(address, process) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f'{address}/health', timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(process.said())
