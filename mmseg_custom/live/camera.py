"""A camera or a stream that may go away and come back."""

import os
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np

from mmseg_custom.utils import UserError

# Seconds to wait before the first and the last of the tries to open it again, and for a network
# camera that answers nothing.
FIRST_WAIT, LONGEST_WAIT, NETWORK_SECONDS = 1.0, 30.0, 10


class Camera:
    """Reads frames; when there are none any more, opens the camera again until it is back.

    Args:
        source: A number (``0``: the first camera), a device such as ``/dev/video0``, or an address
            such as ``rtsp://…``.
        report: Gets one line when it goes away, and one when it is back.
        wait: Sleeps for a number of seconds; returns True if there is to be no other try. None: for
            as long, or until :meth:`close`.

    Attributes:
        tried_at (float): When it last gave a frame or was last tried, in seconds of
            :func:`time.monotonic`. A driver that hangs does not move it.
        lost (int): How often it went away.

    Raises:
        UserError: It cannot be opened.
    """

    def __init__(
        self,
        source: str,
        report: Callable[[str], None] = print,
        wait: Callable[[float], bool | None] | None = None,
    ):
        self._closed = threading.Event()
        self.source, self._report, self._wait = source, report, wait or self._closed.wait
        self.lost, self.tried_at, self._seen_at = 0, time.monotonic(), time.monotonic()
        self._capture = _open(source)
        if not self._capture.isOpened():
            raise UserError(f'{source}: no such camera or stream, or it is used by another program')

    def close(self) -> None:
        """Let a :meth:`read` that waits for the camera end."""
        self._closed.set()

    def read(self) -> np.ndarray | None:
        """Return the next frame, ``(H, W, 3)`` uint8 RGB, however long it takes to come.

        Returns:
            np.ndarray | None: None after :meth:`close`.
        """
        frame = self._read()
        if frame is not None:
            return frame
        self.lost += 1
        self._report(f'{self.source}: has no frames any more; trying until it is back')
        gone, pause = self._seen_at, FIRST_WAIT
        while frame is None:
            self._capture.release()
            if self._wait(pause):
                return None
            pause = min(2 * pause, LONGEST_WAIT)
            self._capture = _open(self.source)
            frame = self._read()
        self._report(f'{self.source}: is back after {time.monotonic() - gone:.0f} s')
        return frame

    def _read(self) -> np.ndarray | None:
        is_there, frame = self._capture.read()
        self.tried_at = time.monotonic()
        if not is_there:
            return None
        self._seen_at = self.tried_at
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def _open(source: str) -> cv2.VideoCapture:
    # What these libraries print at each try is reported in one line.
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if '://' in source:
        milliseconds = 1000 * NETWORK_SECONDS
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
        # Each thread of the decoder would hold back a frame.
        limits += [cv2.CAP_PROP_N_THREADS, 1]
        return cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    # Where the driver has a queue, its frames are old already.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture
