"""Frames that took long are reported, with what took the time."""

import os
import resource
import time
from collections.abc import Callable

SLOW_SECONDS = 5.0


class SlowFrames:
    """Reports each frame whose result came late.

    A box that nobody looks after may be slow for a moment because of its disk, of other programs,
    or since it has no memory left, and afterwards nothing shows which it was.

    Args:
        report: Gets a line for each slow frame.
        limit: Seconds from the arrival of a frame on that are slow.
    """

    def __init__(self, report: Callable[[str], None] = print, limit: float = SLOW_SECONDS):
        self._report, self._limit = report, limit
        self._number, self._came, self._before = 0, 0.0, 0.0
        self._stages: dict[str, float] = {}
        self._used = _used()

    def begin(self, number: int, came: float) -> None:
        """Note that the work on a frame begins.

        Args:
            number: The frame's.
            came: When it came, in seconds of :func:`time.monotonic`.
        """
        self._number, self._came, self._used = number, came, _used()
        self._before = time.monotonic()
        self._stages = dict(waiting=self._before - came)

    def done(self, stage: str) -> None:
        """Note that a stage has just ended.

        Args:
            stage: What was done, as a noun.
        """
        now = time.monotonic()
        self._stages[stage] = now - self._before
        self._before = now

    def end(self) -> None:
        """Report the frame if it was slow."""
        seconds = self._before - self._came
        if seconds <= self._limit:
            return
        stages = ', '.join(f'{stage} {part:.1f} s' for stage, part in self._stages.items())
        cpu, pages = (now - before for now, before in zip(_used(), self._used, strict=True))
        load = f'{os.getloadavg()[0]:.1f}' if hasattr(os, 'getloadavg') else 'unknown'
        self._report(
            f'frame {self._number}: took {seconds:.1f} s ({stages}); meanwhile this process '
            f'computed for {cpu:.1f} s and read {pages} pages from the disk; load {load}'
        )


def _used() -> tuple[float, int]:
    """Return seconds of CPU of this process, and pages that it has read from the disk."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_majflt
