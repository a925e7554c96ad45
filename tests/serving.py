"""A server of apps/ in a process of its own; tests import it as `from serving import served`."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from conftest import ROOT

START_SECONDS = 90


@contextmanager
def served(tool: str, *arguments, log):
    """Start a tool on a free port; yields its address and process id, and stops it by Ctrl-C."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / tool), *map(str, arguments), '--port', str(port)]
    with open(log, 'w') as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=ROOT)
    address = f'http://127.0.0.1:{port}'
    try:
        wait_for(address, process, log)
        yield address, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert 'Traceback' not in log.read_text(), log.read_text()[-3000:]


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
