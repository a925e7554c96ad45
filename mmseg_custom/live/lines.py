"""JSON lines of what was seen, on a disk that they never fill."""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path

import numpy as np

from .belt_counter import BeltCounter, BeltObject

# Lines of a camera: at most so many files of this many bytes.
FILE_SIZE, FILES = 10_000_000, 5


class _Handler(RotatingFileHandler):
    """Reports once that lines cannot be written, and once that they can again."""

    def __init__(self, path: Path, size: int, report: Callable[[str], None]):
        super().__init__(path, maxBytes=size, backupCount=FILES - 1, encoding='utf-8')
        self._report, self._failed = report, False
        self._why: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        before, self._failed = self._failed, False
        super().emit(record)
        if before and not self._failed:
            self._report(f'{self.baseFilename}: is written again')
        elif self._failed and not before:
            self._report(
                f'{self.baseFilename}: cannot be written ({self._why}); counting continues'
            )

    def handleError(self, record: logging.LogRecord) -> None:
        """Note the error that is being handled."""
        self._failed, self._why = True, sys.exc_info()[1]


class Lines:
    """Writes a JSON line for each frame.

    Args:
        path: The file; older lines of a camera are in ``path.1`` and so on.
        is_endless: A camera's: continued in a new file at 10 MB, of which five are kept. Lines of a
            video are all kept.
        report: Gets a line when the disk is full, and when it is not any more.
    """

    def __init__(self, path: Path, is_endless: bool = True, report: Callable[[str], None] = print):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._log = logging.Logger('frames')
        self._log.addHandler(_Handler(path, FILE_SIZE if is_endless else 0, report))

    def write(
        self,
        number: int,
        came: float,
        mask: np.ndarray,
        objects: list[BeltObject],
        counter: BeltCounter,
    ) -> None:
        """Write what was seen in a frame.

        Args:
            number: The frame's number.
            came: When it came, in seconds of :func:`time.monotonic`.
            mask: ``(H, W)`` uint8 labels.
            objects: That are seen in it.
            counter: Has the counts.
        """
        line = _times(came) | _entry(number, mask, objects, counter)
        self._log.info(json.dumps(line))


def _times(came: float) -> dict:
    """Return when a frame came, and the seconds from then until now."""
    seconds = time.monotonic() - came
    moment = datetime.now(timezone.utc) - timedelta(seconds=seconds)
    return dict(time=moment.isoformat(timespec='milliseconds'), latency=round(seconds, 4))


def _entry(number: int, mask, objects, counter) -> dict:
    classes = counter.classes
    areas = np.bincount(mask.ravel(), minlength=256)[: len(classes)] / mask.size
    return dict(
        frame=number,
        areas={name: round(float(a), 4) for name, a in zip(classes.names, areas, strict=True) if a},
        objects=[
            dict(id=one.id, name=classes.names[one.label], box=one.box.astype(int).tolist())
            for one in objects
        ],
        passed=[dict(id=one.id, name=classes.names[one.label]) for one in counter.passed],
        counts=dict(counter.counts),
    )
