"""Videos as sequences of photos: decoded in order, frames named by their place on the time line."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmseg_custom.coco.decode_photo import MAX_PIXELS
from mmseg_custom.utils import UserError
from mmseg_custom.utils.remote import fetched

if TYPE_CHECKING:
    import av

VIDEO_SUFFIXES = frozenset(('.mp4', '.avi', '.mov', '.mkv', '.webm'))
# Of the time between two frames: containers round time stamps, to milliseconds for one.
RATE_TOLERANCE = Fraction(1, 4)
# Threads ask for frames in about their order; this many wait for a thread that is late.
KEPT = 16


@dataclass(frozen=True)
class Frame:
    """One frame that can be decoded.

    Attributes:
        place: Number among the frames that can be decoded, from 0.
        number: Number on the time line: time stamp times frame rate. If the frame rate varies,
            the place.
        seconds: Time stamp; None if the file has none.
    """

    place: int
    number: int
    seconds: float | None


class Video:
    """The frames of one file, read in sequence by any number of threads.

    The file is decoded from its start and never searched by frame number, which many files answer
    with another frame. Reading frames in about their order decodes each one once; a frame that was
    passed long ago is found again by starting over.

    Args:
        path: The file.
        every: Take every Nth frame.

    Attributes:
        frames: The frames that are taken.

    Raises:
        UserError: No frame can be decoded, or they are too large.
    """

    def __init__(self, path: Path, every: int = 1):
        self.path = path
        self.frames = _list_frames(path)[::every]
        self._wanted = {frame.place for frame in self.frames}
        self._lock = threading.Lock()
        self._restart()

    def read(self, place: int) -> np.ndarray:
        """Return a frame as ``(H, W, 3)`` uint8 RGB, rotated as the file says.

        Args:
            place: See :class:`Frame`; one of ``frames``.

        Raises:
            UserError: The file has changed and lacks it.
        """
        with self._lock:
            if place < self._next and place not in self._passed:
                self._restart()
            while place not in self._passed:
                frame = next(self._decoded, None)
                if frame is None:
                    raise UserError(f'{self.path}: has lost frame {place} since it was opened')
                if self._next in self._wanted:
                    self._passed[self._next] = frame
                if len(self._passed) > KEPT:
                    self._passed.pop(min(self._passed))
                self._next += 1
            frame = self._passed.pop(place)
        return _upright(frame)

    def _restart(self) -> None:
        self._decoded = _decode(self.path)
        self._next = 0
        self._passed: dict[int, av.VideoFrame] = {}


def _decode(path: Path) -> 'Iterator[av.VideoFrame]':
    """Yield the frames that can be decoded, in the order in which they are shown."""
    import av

    try:
        with av.open(str(fetched(path))) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                return
            stream.thread_type = 'AUTO'
            for packet in container.demux(stream):
                # A damaged packet costs its own frame, not those after it.
                with suppress(av.error.InvalidDataError):
                    yield from (frame for frame in packet.decode() if not frame.is_corrupt)
    except (av.error.FFmpegError, OSError, ValueError):
        return


def _list_frames(path: Path) -> list[Frame]:
    times: list[Fraction | None] = []
    for frame in _decode(path):
        if frame.width * frame.height > MAX_PIXELS:
            raise UserError(
                f'{path}: frames of {frame.width}x{frame.height} are over the limit of '
                f'{MAX_PIXELS / 1e6:g} megapixels'
            )
        if frame.pts is None or frame.time_base is None:
            times.append(None)
        else:
            times.append(Fraction(frame.pts * frame.time_base))
    if not times:
        raise UserError(f'{path}: cannot be read as a video; convert it to MP4')
    return [
        Frame(place, number, None if time is None else float(time))
        for place, (number, time) in enumerate(zip(_numbers(path, times), times, strict=True))
    ]


def _numbers(path: Path, times: Sequence[Fraction | None]) -> list[int]:
    """Return the frames' numbers on the time line; their places if the rate is not constant."""
    import av

    places = list(range(len(times)))
    with av.open(str(fetched(path))) as container:
        rate = container.streams.video[0].average_rate
    if not rate or any(time is None or time < 0 for time in times):
        return places
    exact = [time * rate for time in times if time is not None]
    numbers = [round(value) for value in exact]
    constant = all(abs(a - b) <= RATE_TOLERANCE for a, b in zip(exact, numbers, strict=True))
    return numbers if constant and len(set(numbers)) == len(numbers) else places


def _upright(frame: 'av.VideoFrame') -> np.ndarray:
    # Both count quarter turns against the clock.
    turns = round(frame.rotation / 90)
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format='rgb24'), turns))
