"""Exports that are ZIP files, unpacked for as long as they are read."""

import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmseg_custom.utils import UserError

from .files import clean_name

MAX_FILES, MAX_TOTAL = 1_000_000, 64 * 2**30
# A photo or a text does not shrink more; a bomb of zeros does.
MAX_RATIO, SMALL = 200, 2**24
# Folders that formats have in a set.
ROOMS = ('images', 'labels', 'masks', 'annotations', 'gtFine', 'SegmentationClass')


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give the folder that a ZIP file holds, or any other path as it is.

    Args:
        path: A file or a folder.

    Yields:
        Path: A temporary folder, which is removed at the end; or ``path``.

    Raises:
        UserError: The file is broken, leads out of its folder, or is too large.
    """
    if not path.is_file() or path.suffix.lower() != '.zip':
        yield path
        return
    with tempfile.TemporaryDirectory(prefix='trash-seg-') as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(path, archive, Path(folder))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise UserError(f'{path}: cannot be unpacked ({error})') from None
        entries = list(Path(folder).iterdir())
        # Many archives hold one folder with everything in it.
        alone = len(entries) == 1 and entries[0].is_dir() and entries[0].name not in ROOMS
        yield entries[0] if alone else Path(folder)


def _unpack(path: Path, archive: zipfile.ZipFile, folder: Path) -> None:
    entries = [one for one in archive.infolist() if not one.is_dir()]
    total = sum(one.file_size for one in entries)
    if len(entries) > MAX_FILES or total > MAX_TOTAL:
        raise UserError(f'{path}: unpacks to {len(entries)} files of {total} bytes: too large')
    for one in entries:
        if one.file_size > SMALL and one.file_size > MAX_RATIO * max(1, one.compress_size):
            raise UserError(f'{path}: {one.filename[:99]!r} unpacks to {one.file_size} bytes')
        if stat.S_ISLNK(one.external_attr >> 16):
            raise UserError(f'{path}: {one.filename[:99]!r} is a link')
        try:
            target = folder / clean_name(_name(one))
        except UserError as error:
            raise UserError(f'{path}: {error}') from None
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(one) as source, open(target, 'wb') as opened:
            while block := source.read(2**20):
                opened.write(block)


def _name(entry: zipfile.ZipInfo) -> str:
    """Return a name; old tools write it as UTF-8, or in a Korean code page, without saying so."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    raw = entry.filename.encode('cp437', 'replace')
    for encoding in ('utf-8', 'cp949'):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename
