"""The memory of several processes together, as Linux counts it."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

KIBI = 2**10


def with_children(pid: int) -> list[int]:
    """Return a process and all that it has started; nothing where there is no ``/proc``."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for children in Path(f'/proc/{one}/task').glob('*/children'):
                waiting += map(int, children.read_text().split())
    return found


def memory_of(pids: Iterable[int], size: str = 'Pss') -> float:
    """Return the memory of processes together, in MiB.

    Args:
        pids: The processes; one that has ended has none.
        size: ``Pss``, where a page that several of them map counts once, or ``Rss``, where it
            counts for each, as ``top`` and ``ps`` show it.
    """
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith(f'{size}:'))
    return total / KIBI


def resident_memory(pid: int) -> float:
    """Return the resident memory of a process and of all that it has started, in MiB."""
    return memory_of(with_children(pid), 'Rss')


def peak_of_process() -> float:
    """Return the most memory that this process has had, in MiB."""
    with contextlib.suppress(OSError):
        # Not that of getrusage: it begins with the parent's peak.
        lines = Path('/proc/self/status').read_text().splitlines()
        return int(next(line for line in lines if line.startswith('VmHWM:')).split()[1]) / KIBI
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBI**2  # macOS counts in bytes
