"""What several processes of one launch have in common on a node: its cores, and arrays."""

import atexit
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .errors import UserError

PREFIX = 'trash_seg_node_'


def processes_of_node() -> int:
    """Return how many processes the launcher has started on this node, 1 without a launcher."""
    names = ('LOCAL_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_SIZE')
    for name in names:
        if name in os.environ:
            return int(os.environ[name])
    if 'SLURM_PROCID' in os.environ:
        # Such as 4(x2),3: two nodes with four tasks, and one with three.
        tasks = os.environ.get('SLURM_STEP_TASKS_PER_NODE', '1')
        return max(map(int, re.sub(r'\(x\d+\)', '', tasks).split(',')))
    return 1


def shared_arrays(key: str, make: Callable[[], Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Return arrays that one process of this node makes, and all of them map.

    The first process that comes makes them, the others wait for it. The files go when all processes
    have mapped them; the memory goes with the last process.

    Args:
        key: Names the arrays; the same in all processes that shall share them.
        make: Returns the arrays. What it raises, it raises in every process.

    Returns:
        list[np.ndarray]: The arrays, read-only.
    """
    folder = Path(tempfile.gettempdir(), f'{PREFIX}{os.getuid()}_{os.getppid()}')
    _remove_left_overs(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    _require_own(folder)
    with _locked(folder / f'{key}.lock') as lock:
        paths = sorted(folder.glob(f'{key}.*.npy'))
        if not paths:
            # In case it is killed, or other processes never come.
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            for number, array in enumerate(make()):
                np.save(folder / f'{key}.{number:02d}.npy', array)
            paths = sorted(folder.glob(f'{key}.*.npy'))
        arrays = [np.load(path, mmap_mode='r') for path in paths]
        mapped = os.path.getsize(lock) + 1
        os.truncate(lock, mapped)
        if mapped >= processes_of_node():
            for path in (*paths, lock):
                path.unlink()
    return arrays


@contextmanager
def _locked(path: Path) -> Iterator[Path]:
    while True:
        with open(path, 'ab') as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                try:
                    yield path
                except BaseException:
                    path.unlink()
                    raise
                return


def _require_own(folder: Path) -> None:
    """Raise for a folder that somebody else has put there: its content would be trusted."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UserError(f'{folder}: is not a folder of this user: remove it')


def _remove_left_overs(own: Path) -> None:
    """Remove the folders of launches that have ended without doing so."""
    for folder in own.parent.glob(f'{PREFIX}{os.getuid()}_*'):
        try:
            os.kill(int(folder.name.rpartition('_')[2]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (PermissionError, ValueError):
            continue  # It is another user's process, or no such folder of ours.
