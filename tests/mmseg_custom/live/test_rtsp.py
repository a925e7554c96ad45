"""A network camera that speaks RTSP: a server of files in real time, on this machine."""

import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from mmseg_custom.live import Camera
from mmseg_custom.live.recording import Recording
from mmseg_custom.utils import UserError

pytest.importorskip('aio_rtsp_toolkit', reason='pip install -e ".[rtsp]"')
av = pytest.importorskip('av')
if 'libx264' not in av.codecs_available:
    pytest.skip('this build of PyAV writes no H.264', allow_module_level=True)

pytestmark = pytest.mark.slow
FRAMES, RATE = 10, 25
SERVE = """
import asyncio, sys
from aio_rtsp_toolkit.server import serve
asyncio.run(serve(sys.argv[1], host='127.0.0.1', port=int(sys.argv[2])))
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a short recording of ours, whose frames all differ."""
    recording = Recording(tmp_path / 'belt.mp4')
    for number in range(FRAMES):
        recording.add(np.full((48, 64, 3), 20 * number, np.uint8), number / RATE)
    recording.close()
    return tmp_path


@pytest.fixture
def address(folder, free_port):
    """Where the server gives the recording once to each who asks, and then ends the connection."""
    server = subprocess.Popen([sys.executable, '-c', SERVE, folder, str(free_port)])
    yield f'rtsp://127.0.0.1:{free_port}/belt.mp4'
    server.terminate()
    server.wait()


def opened(address, **options) -> Camera:
    deadline = time.monotonic() + 200
    while True:
        try:
            return Camera(address, **options)
        except UserError:
            # The server is starting.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_frames_are_those_of_the_file_and_the_stream_comes_back(address, folder):
    capture = cv2.VideoCapture(str(folder / 'belt.mp4'))
    expected = [capture.read()[1][..., ::-1] for _ in range(FRAMES)]
    lines = []
    camera = opened(address, report=lines.append)
    found = [camera.read() for _ in range(2 * FRAMES)]
    camera.close()
    np.testing.assert_array_equal(found, expected * 2)
    assert camera.lost == 1
    assert lines[0] == f'{address}: has no frames any more; trying until it is back'
    assert lines[1].startswith(f'{address}: is back after ')


def test_a_stream_that_is_not_there(address):
    opened(address).close()
    with pytest.raises(UserError, match='no such camera or stream'):
        Camera(address.replace('belt', 'other'))
