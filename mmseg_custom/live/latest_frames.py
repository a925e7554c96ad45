"""The newest frame of a camera: frames that came in between are dropped."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

# While no frame comes, the one who waits for it is called as often as this, in seconds.
PATIENCE = 1.0
# Longer than a network camera may take for a frame.
CLOSE_SECONDS = 15


class LiveFrame(NamedTuple):
    """One frame.

    Attributes:
        number: Of the frames that were read, from 0; those that were dropped count.
        pixels: ``(H, W, 3)`` uint8 RGB.
        came: When it came, in seconds of :func:`time.monotonic`.
        seconds: When it was taken, in seconds from any moment on; of a camera, when it came.
    """

    number: int
    pixels: np.ndarray
    came: float
    seconds: float


class LatestFrames:
    """Reads a camera in a thread of its own, and gives the newest frame when it is asked for.

    A model that is slower than the camera sees fewer frames, each as new as it can be, in place of
    a queue that grows.

    Args:
        read: Returns the next frame, ``(H, W, 3)`` uint8 RGB, or None at the end.
        on_wait: Is called once a second while no frame comes.

    Attributes:
        dropped (int): Frames that were read and not given.
    """

    def __init__(
        self, read: Callable[[], np.ndarray | None], on_wait: Callable[[], None] = lambda: None
    ):
        self._read, self._on_wait = read, on_wait
        self._changed = threading.Condition()
        self._newest: LiveFrame | None = None
        self._error: Exception | None = None
        self._has_ended = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[LiveFrame]:
        """Yield the newest frame, until the camera ends."""
        while True:
            with self._changed:
                has_news = self._changed.wait_for(lambda: self._newest or self._has_ended, PATIENCE)
                newest, self._newest = self._newest, None
                if has_news and newest is None:
                    if self._error:
                        raise self._error
                    return
            if newest is None:
                self._on_wait()
            else:
                yield newest

    def close(self) -> None:
        """Stop reading, and wait for the frame that is being read.

        A thread inside OpenCV while Python ends would abort the process.
        """
        self._has_ended = True
        self._thread.join(CLOSE_SECONDS)

    def _follow(self) -> None:
        number = 0
        try:
            while not self._has_ended and (frame := self._read()) is not None:
                with self._changed:
                    self.dropped += self._newest is not None
                    now = time.monotonic()
                    self._newest = LiveFrame(number, frame, now, now)
                    self._changed.notify_all()
                number += 1
        except Exception as error:
            self._error = error
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
