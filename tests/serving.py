"""A server of apps/ in a process of its own; tests import it as `from serving import served`."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from conftest import ROOT

START_SECONDS, STOP_SECONDS = 90, 60


@contextmanager
def served(tool: str, *arguments, log):
    """Start a tool on a free port; yields its address and process id, and stops it by Ctrl-C."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / tool), *map(str, arguments), '--port', str(port)]
    with open(log, 'w') as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=os.environ | {'PYTHONFAULTHANDLER': '1'},
        )
    address = f'http://127.0.0.1:{port}'
    try:
        wait_for(address, process, log)
        yield address, process.pid
    finally:
        stop(process, log)
    assert 'Traceback' not in log.read_text(), log.read_text()[-3000:]


def stop(process, log) -> None:
    """Press Ctrl-C; tell where the server stands if it does not end."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        process.wait()
        raise AssertionError(f'Ctrl-C did not end it: {log.read_text()[-3000:]}') from None


def wait_for(address, process, log) -> None:
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
    raise AssertionError(log.read_text()[-3000:])
