"""Videos of what was seen, at the times of the frames, on a disk that they never fill."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mmseg_custom.visualization import overlay

from .belt_counter import BeltCounter, BeltObject

if TYPE_CHECKING:
    import av

# A camera's video is continued in a new file when one has this fraction of all that is kept.
PART = 0.1
# What can be played after a loss of power ends at the last of these, in frames.
KEY_FRAME_EVERY = 20
# Time stamps are in milliseconds.
TICKS, NOMINAL_RATE = 1000, 5
# After an error of the disk.
RETRY_SECONDS = 60
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


class Recording:
    """An MP4 file of frames at the times at which they were taken.

    It can be played while it is written, and after it was cut off.

    Args:
        path: The file.
    """

    def __init__(self, path: Path):
        self.path = path
        self._container: av.container.OutputContainer | None = None
        # PyAV's types do not say which kind of stream a codec's name gives.
        self._stream: Any = None
        self._start, self._last = 0.0, -1

    def add(self, picture: np.ndarray, seconds: float) -> None:
        """Add a frame.

        Args:
            picture: ``(H, W, 3)`` uint8 BGR, of the size of the first.
            seconds: When it was taken.
        """
        import av

        container = self._container or self._open(picture.shape, seconds)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='bgr24')
        # Two frames of one moment would be refused.
        self._last = frame.pts = max(self._last + 1, round(TICKS * (seconds - self._start)))
        frame.time_base = self._stream.codec_context.time_base
        container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left."""
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._container = None

    def _open(self, shape: tuple[int, ...], seconds: float) -> 'av.container.OutputContainer':
        import av

        options = dict(movflags='frag_keyframe+empty_moov+default_base_moof', flush_packets='1')
        container = av.open(str(self.path), 'w', format='mp4', container_options=options)
        # Browsers and phones play H.264; it is not in every build.
        is_there = 'libx264' in av.codecs_available
        codec, preset = (
            ('libx264', dict(preset='veryfast', tune='zerolatency')) if is_there else ('mpeg4', {})
        )
        self._stream = container.add_stream(codec, rate=NOMINAL_RATE, options=preset)
        # Both codecs take even sides only.
        self._stream.width, self._stream.height = (side + side % 2 for side in shape[1::-1])
        self._stream.pix_fmt = 'yuv420p'
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.codec_context.gop_size = KEY_FRAME_EVERY
        self._start, self._last = seconds, -1
        self._container = container
        return container


class RecordingParts:
    """A video without an end, in numbered files of which the oldest are deleted.

    Args:
        path: ``belt.mp4`` stands for ``belt-000001.mp4`` and so on; numbers continue after those
            that are there.
        limit: Bytes that all of them have at most.
        report: Gets a line when the disk is full; it is tried again a minute later.
    """

    def __init__(self, path: Path, limit: int, report: Callable[[str], None] = print):
        self._path, self._limit, self._report = path, limit, report
        self._current: Recording | None = None
        self._blocked_until = float('-inf')
        path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, picture: np.ndarray, seconds: float) -> None:
        """Add a frame; see :meth:`Recording.add`."""
        if seconds < self._blocked_until:
            return
        try:
            current = self._current
            if current is None or self._is_full(current.path):
                current = self._begin()
            current.add(picture, seconds)
        except OSError as error:
            self._current, self._blocked_until = None, seconds + RETRY_SECONDS
            self._report(f'{self._path}: no video for {RETRY_SECONDS} s ({error})')

    def close(self) -> None:
        """Write what is left."""
        if self._current is not None:
            self._current.close()

    def parts(self) -> list[Path]:
        """Return the files that are there, oldest first."""
        pattern = f'{re.escape(self._path.stem)}-[0-9]{{6,}}{re.escape(self._path.suffix)}'
        found = [p for p in self._path.parent.iterdir() if re.fullmatch(pattern, p.name)]
        return sorted(found, key=_number)

    def _is_full(self, path: Path) -> bool:
        return path.is_file() and path.stat().st_size >= PART * self._limit

    def _begin(self) -> Recording:
        self.close()
        parts = self.parts()
        number = 1 + (_number(parts[-1]) if parts else 0)
        # What is between two key frames is written at once, so that a part exceeds its limit.
        largest = max([PART * self._limit, *(part.stat().st_size for part in parts)])
        while parts and sum(p.stat().st_size for p in parts) > self._limit - 2 * largest:
            parts.pop(0).unlink()
        name = f'{self._path.stem}-{number:06d}{self._path.suffix}'
        self._current = Recording(self._path.with_name(name))
        return self._current


def _number(path: Path) -> int:
    return int(path.stem.rpartition('-')[2])


def annotated(
    frame: np.ndarray, mask: np.ndarray, objects: Sequence[BeltObject], counter: BeltCounter
) -> np.ndarray:
    """Return a frame with its mask, the line, and boxes and ids of its objects.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        mask: ``(H, W)`` uint8 labels.
        objects: That are seen in it.
        counter: Says what the labels mean, and where the line is.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 BGR.
    """
    classes = counter.classes
    picture = overlay(frame, mask, classes)[..., ::-1].copy()
    place = int(counter.line * mask.shape[1 - counter.axis])
    across = picture[:, place : place + 1] if counter.axis == 0 else picture[place : place + 1]
    across[:] = WHITE
    for one in objects:
        left, top, right, bottom = one.box.astype(int).tolist()
        cv2.rectangle(picture, (left, top), (right, bottom), WHITE, 2)
        text = f'{one.id} {classes.names[one.label]}'
        for color, width in ((BLACK, 3), (WHITE, 1)):
            cv2.putText(picture, text, (left + 4, top + 18), 0, 0.5, color, width, cv2.LINE_AA)
    return picture
