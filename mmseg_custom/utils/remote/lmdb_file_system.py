"""LMDB files as a file system of fsspec: a key is a path, its value the bytes of a file."""

import io
import os
from typing import Any

import lmdb
from fsspec.archive import AbstractArchiveFileSystem


class LmdbFileSystem(AbstractArchiveFileSystem):
    """Reads an LMDB file as MMEngine's ``LmdbBackend`` does, and lists its keys as folders.

    Args:
        path: The file, such as ``set.lmdb/data.mdb``.

    Raises:
        lmdb.Error: It is not an LMDB file.
    """

    root_marker, protocol, cachable = '', 'lmdb', False

    def __init__(self, path: str | os.PathLike, **kwargs):
        super().__init__(**kwargs)
        self.fo = os.fspath(path)
        # Nobody writes to it, and a lock would be a file beside a set that may be read-only.
        options = dict(subdir=False, readonly=True, lock=False, readahead=False)
        self._environment = lmdb.open(self.fo, **options)
        self._keys: dict[str, bytes] = {}
        self.dir_cache: dict[str, dict[str, Any]] = {}
        with self._environment.begin(buffers=True) as transaction:
            for key, value in transaction.cursor():
                # It may have been packed from `.` or from the root of a disk.
                name = os.fsdecode(bytes(key)).removeprefix('./').lstrip('/')
                self._keys[name] = bytes(key)
                self.dir_cache[name] = dict(name=name, size=len(value), type='file')
        for name in self._all_dirnames(self._keys):
            self.dir_cache[name] = dict(name=name, size=0, type='directory')

    def _get_dirs(self) -> None:
        """Do nothing: fsspec asks for the folders at each look."""

    def _open(self, path: str, mode: str = 'rb', **kwargs) -> io.BytesIO:
        if mode != 'rb':
            raise ValueError('Read-only file system')
        if path not in self._keys:
            raise FileNotFoundError(path)
        with self._environment.begin() as transaction:
            return io.BytesIO(transaction.get(self._keys[path], b''))
