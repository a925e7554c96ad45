"""The local copies of remote files: complete, and together below a limit."""

import fcntl
import hashlib
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmseg_custom.utils.addresses import cache_folder
from mmseg_custom.utils.errors import UserError

LIMIT, DEFAULT_GIGABYTES = 'TRASH_SEG_CACHE_GB', 20.0
# Removing a tenth at a time, all files are looked at once for many downloads.
KEPT_FRACTION = 0.9
# Seconds for which a copy is kept in any case: somebody is about to open it.
IN_USE = 10.0
# Files of one lock wait for each other, which few do.
LOCKS = 1024
LOCK, TOTAL, DIGITS = '.lock', '.bytes', 20


def size_limit() -> int:
    """Return how many bytes the copies may have together: ``TRASH_SEG_CACHE_GB``, or 20 GB.

    Raises:
        UserError: The variable is not a number above 0.
    """
    text = os.environ.get(LIMIT, '')
    try:
        number = float(text) if text else DEFAULT_GIGABYTES
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UserError(f'{LIMIT}={text}: is not a number of gigabytes above 0')
    return int(number * 1e9)


def copy_of(target: str, version: int | None = None) -> bool:
    """Return whether a copy is there, and of this version; it counts as used now."""
    with suppress(FileNotFoundError):
        found = os.stat(target).st_mtime_ns
        if version in (None, found):
            os.utime(target, ns=(time.time_ns(), found))
            return True
    return False


def keep(target: str, version: int, download: Callable[[str], None]) -> None:
    """Put a file into the cache, once for all processes; each sees all of it or nothing.

    Args:
        target: Its place.
        version: See :func:`~mmseg_custom.utils.remote.store.version_of`.
        download: Writes the file to the path that it is given.
    """
    limit, incoming = size_limit(), os.path.join(cache_folder(), 'incoming')
    os.makedirs(incoming, exist_ok=True)
    with _locked(target):
        if not copy_of(target, version):
            _count(_fetch(target, version, download, incoming), limit)


@contextmanager
def _locked(target: str) -> Iterator[None]:
    """Let the ranks of a node not fetch one file at the same time."""
    number = int.from_bytes(hashlib.sha256(target.encode()).digest()[:2]) % LOCKS
    with _alone(os.path.join(cache_folder(), 'incoming', f'{LOCK}{number}')):
        yield


@contextmanager
def _alone(path: str) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        # A worker that was forked meanwhile has the file open, too, and would keep the lock.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def _fetch(target: str, version: int, download: Callable[[str], None], incoming: str) -> int:
    handle, temporary = tempfile.mkstemp(dir=incoming)
    os.close(handle)
    try:
        download(temporary)
        os.utime(temporary, ns=(time.time_ns(), version))
        size = os.path.getsize(temporary)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(temporary, target)
        return size
    finally:
        Path(temporary).unlink(missing_ok=True)


def _count(size: int, limit: int) -> None:
    """Add to the number of bytes that all processes have fetched; make room above the limit."""
    with _alone(os.path.join(cache_folder(), TOTAL)) as file:
        total = int(os.pread(file, DIGITS, 0) or 0) + size
        if total > limit:
            total = _make_room(limit)
        # In place: ext4 writes a file that was truncated to the disk at once, which took longer
        # than all else that is done for a photo.
        os.pwrite(file, f'{total:0{DIGITS}}'.encode(), 0)


def _make_room(limit: int) -> int:
    """Remove the copies that were not used for the longest time, and return how much is left."""
    found = []
    # Also what killed processes were fetching.
    for folder, _, names in os.walk(cache_folder()):
        for path in (os.path.join(folder, name) for name in names):
            with suppress(FileNotFoundError):
                status = os.stat(path)
                used = max(status.st_atime, status.st_mtime)
                found.append((used, status.st_size, path))
    found = [one for one in found if not os.path.basename(one[2]).startswith((LOCK, TOTAL))]
    total, newest = sum(size for _, size, _ in found), time.time() - IN_USE
    for used, size, path in sorted(found):
        if total <= KEPT_FRACTION * limit or used > newest:
            break
        Path(path).unlink(missing_ok=True)
        total -= size
    return total
