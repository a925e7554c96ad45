"""The newest frame of a camera: frames that came in between are dropped."""

import threading
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from mmseg_custom.utils import UserError


class LatestFrames:
    """Reads a camera in a thread of its own, and gives the newest frame when it is asked for.

    A model that is slower than the camera sees fewer frames, each as new as it can be, in place of
    a queue that grows.

    Args:
        read: Returns the next frame, ``(H, W, 3)`` uint8 RGB, or None at the end.

    Attributes:
        dropped (int): Frames that were read and not given.
    """

    def __init__(self, read: Callable[[], np.ndarray | None]):
        self._read = read
        self._changed = threading.Condition()
        self._newest: tuple[int, np.ndarray] | None = None
        self._error: Exception | None = None
        self._has_ended = False
        self.dropped = 0
        threading.Thread(target=self._follow, daemon=True).start()

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield number, from 0, and pixels of the newest frame, until the camera ends."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._has_ended)
                newest, self._newest = self._newest, None
                if newest is None:
                    if self._error:
                        raise self._error
                    return
            yield newest

    def close(self) -> None:
        """Stop reading after the frame that is being read."""
        self._has_ended = True

    def _follow(self) -> None:
        number = 0
        try:
            while not self._has_ended and (frame := self._read()) is not None:
                with self._changed:
                    self.dropped += self._newest is not None
                    self._newest = number, frame
                    self._changed.notify_all()
                number += 1
        except Exception as error:
            self._error = error
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


def open_camera(source: str) -> Callable[[], np.ndarray | None]:
    """Open a camera or a stream.

    Args:
        source: A number (``0``: the first camera), a device such as ``/dev/video0``, or an address
            such as ``rtsp://…``.

    Returns:
        Callable: Returns the next frame as ``(H, W, 3)`` uint8 RGB, None at the end.

    Raises:
        UserError: It cannot be opened.
    """
    capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    if not capture.isOpened():
        raise UserError(f'{source}: no such camera or stream, or it is used by another program')
    # Where the driver has a queue, its frames are old already.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read() -> np.ndarray | None:
        is_there, frame = capture.read()
        return np.ascontiguousarray(frame[..., ::-1]) if is_there else None

    return read
