"""Tar and zip archives and LMDB files, read as folders of a storage through fsspec."""

import contextlib
import errno
import os
import posixpath
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from mmseg_custom.utils.addresses import split_archive
from mmseg_custom.utils.errors import UserError

from .store import LOCAL_FAULTS, ask

Result = TypeVar('Result')
# Of this process: the file system of each archive and what its names begin with.
_opened: dict[tuple[str, str], tuple[Any, str]] = {}
# An archive is one open file with one position.
_alone = threading.RLock()


def _forget() -> None:
    """Open archives again in a process that was forked: they would share the position."""
    global _alone
    _alone = threading.RLock()
    _opened.clear()


os.register_at_fork(after_in_child=_forget)


def ask_address(
    address: str, work: Callable[[Any, str], Result], fetch: Callable[[str], str | os.PathLike]
) -> Result:
    """Return what ``work`` finds in a storage, or in an archive.

    Args:
        address: Of a file or folder.
        work: Called with the ``fsspec`` file system and what is asked for there.
        fetch: Brings an archive that is remote itself to this disk.

    Raises:
        FileNotFoundError: It is not there.
        UserError: The storage or the archive cannot be read.
    """
    chained = split_archive(address)
    if chained is None:
        return ask(address, work)
    scheme, archive, member = chained
    path = _on_disk(archive, fetch)
    with _alone:
        try:
            if (scheme, path) not in _opened:
                _opened[scheme, path] = _open(scheme, path)
            system, start = _opened[scheme, path]
            return work(system, posixpath.join(start, member).rstrip('/'))
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), address) from None
        except UserError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in LOCAL_FAULTS:
                raise
            reason = f'{type(error).__name__}: {error}'.removesuffix(': ')
            raise UserError(f'{archive}: cannot be read as a {scheme} archive ({reason})') from None


def age_of_archive(address: str, fetch: Callable[[str], str | os.PathLike]) -> dict[str, Any]:
    """Return when an archive was written: a file in another archive may have the same date."""
    chained = split_archive(address)
    return dict(mtime=os.stat(_on_disk(chained[1], fetch)).st_mtime_ns) if chained else {}


def _on_disk(archive: str, fetch: Callable[[str], str | os.PathLike]) -> str:
    # LMDB makes a folder with one file for the data.
    for place in (archive, f'{archive}/data.mdb'):
        with contextlib.suppress(FileNotFoundError):
            path = os.fspath(fetch(place))
            if os.path.isfile(path):
                return path
    raise UserError(f'{archive}: no such archive')


def _open(scheme: str, archive: str) -> tuple[Any, str]:
    if scheme == 'lmdb':
        return _open_lmdb(archive), ''
    import fsspec

    system = fsspec.filesystem(scheme, fo=archive, skip_instance_cache=True)
    if scheme == 'tar':
        # tarfile looks for a member by going through all of them.
        members = {member.name: member for member in system.tar.getmembers()}
        system.tar.getmember = members.__getitem__
    names = system.find('')
    # `tar -C set -cf set.tar .` writes ./photos/a.jpg.
    return system, '.' if names and all(name.startswith('./') for name in names) else ''


def _open_lmdb(path: str) -> Any:
    try:
        from .lmdb_file_system import LmdbFileSystem
    except ImportError:
        raise UserError(f'{path}: needs the package lmdb', kind='remote-package') from None
    return LmdbFileSystem(path)
