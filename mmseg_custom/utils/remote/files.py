"""Read, find and list files that may be remote; local paths go straight to the disk."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from mmseg_custom.utils.addresses import CHAIN, address_of, local_path, parent_of
from mmseg_custom.utils.errors import UserError

from .archives import age_of_archive, ask_address
from .cache import copy_of, keep
from .store import can_list, version_of

AnyPath = str | os.PathLike[str]
Result = TypeVar('Result')
# Of this process and those forked from it: size and version of the files of folders that were
# listed, and what else was compared with the storage. A copy is compared once.
_listings: dict[str, dict[str, tuple[int | None, int]]] = {}
_folders: dict[str, list[str]] = {}
_compared: set[str] = set()


def fetched(path: AnyPath) -> AnyPath:
    """Return the path of a file that is on this disk now, fetched if need be.

    Args:
        path: A local file, which is returned as it is, or a path of the cache.

    Raises:
        FileNotFoundError: A remote file is not there.
        UserError: It cannot be fetched.
    """
    address = address_of(path)
    if address is None:
        return path
    target, known = str(local_path(address)), _known(address)
    if known is None and address in _compared and copy_of(target):
        return target
    size, version = known or _ask_for(address)
    if not copy_of(target, version):
        keep(target, version, lambda temporary: _download(address, temporary, size))
    if known is None:
        _compared.add(address)
    return target


def is_file(path: AnyPath) -> bool:
    """Return whether a file is there, local or remote."""
    address = address_of(path)
    if address is None:
        return os.path.isfile(path)
    folder, name = parent_of(address)
    if folder in _listings:
        return name in _listings[folder]
    try:
        return _ask(address, lambda system, key: system.info(key))['type'] == 'file'
    except FileNotFoundError:
        return False


def is_dir(path: AnyPath) -> bool:
    """Return whether a folder is there; of a web server, whether it could be one."""
    address = address_of(path)
    if address is None:
        return os.path.isdir(path)
    if not can_list(address):
        return not Path(address.partition('://')[2].partition('/')[2]).suffix
    if address in _listings:
        return bool(_listings[address] or _folders[address])
    try:
        return _ask(address, lambda system, key: system.info(key))['type'] == 'directory'
    except FileNotFoundError:
        return False


def list_folder(path: AnyPath) -> tuple[list[str], list[str]] | None:
    """Return the names of the folders and files in a folder, from one look at it.

    Args:
        path: The folder, local or remote. One that is not there has no names.

    Returns:
        tuple[list[str], list[str]] | None: None on a web server, which does not list its files.
    """
    address = address_of(path)
    if address is None:
        try:
            entries = list(os.scandir(os.fspath(path) or '.'))
        except OSError:
            return [], []
        folders = [entry.name for entry in entries if entry.is_dir()]
        return folders, [entry.name for entry in entries if entry.is_file()]
    if not can_list(address):
        return None
    if address not in _listings:
        _list(address)
    return list(_folders[address]), list(_listings[address])


def list_folders(paths: Iterable[AnyPath]) -> None:
    """Look once at each folder of many remote files, before each file is looked for.

    Args:
        paths: The files.
    """
    for folder in {os.path.dirname(path) for path in paths if address_of(path)}:
        list_folder(folder)


def walk(top: AnyPath) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield as :func:`os.walk` does, following links; folders that are removed are not entered.

    Raises:
        UserError: ``top`` is on a web server.
    """
    if address_of(top) is None:
        yield from os.walk(os.fspath(top), followlinks=True)
        return
    if (found := list_folder(top)) is None:
        what = 'a web server does not list its files; only an annotation file finds them'
        raise UserError(f'{top}: {what}')
    folders, files = found
    place = os.fspath(local_path(top))
    yield place, folders, files
    for name in folders:
        yield from walk(os.path.join(place, name))


def matches(pattern: AnyPath) -> list[Path]:
    """Return the files and folders that a glob pattern stands for, sorted."""
    address = address_of(pattern)
    if address is None:
        return sorted(map(Path, glob.glob(str(pattern), recursive=True)))
    if not can_list(address):
        raise UserError(f'{pattern}: a web server does not list its files; name each file')
    scheme, archive = address.partition('://')[0], ''.join(address.partition(CHAIN)[1:])
    names = _ask(address, lambda system, key: system.glob(key))
    return sorted(Path(local_path(f'{scheme}://{name}{archive}')) for name in names)


def size_of(path: AnyPath) -> int | None:
    """Return the bytes of a file, None if it is not there or its size is not known."""
    address = address_of(path)
    try:
        if address is None:
            return os.path.getsize(path) if os.path.isfile(path) else None
        return (_known(address) or _ask_for(address))[0]
    except FileNotFoundError:
        return None


def _ask(address: str, work: Callable[[Any, str], Result]) -> Result:
    return ask_address(address, work, fetched)


def _known(address: str) -> tuple[int | None, int] | None:
    folder, name = parent_of(address)
    if folder not in _listings:
        return None
    if name not in _listings[folder]:
        raise FileNotFoundError(f'{address}: is not in the storage')
    return _listings[folder][name]


def _ask_for(address: str) -> tuple[int | None, int]:
    info = _ask(address, lambda system, key: system.info(key))
    if info['type'] != 'file':
        raise FileNotFoundError(f'{address}: is a folder')
    return info.get('size'), version_of(info | age_of_archive(address, fetched))


def _download(address: str, temporary: str, size: int | None) -> None:
    def get(system: Any, key: str) -> None:
        system.get_file(key, temporary)
        found = os.path.getsize(temporary)
        if size is not None and found != size:
            raise OSError(f'{found} of {size} bytes came')

    _ask(address, get)


def _list(address: str) -> None:
    try:
        entries = _ask(address, lambda system, key: system.ls(key, detail=True))
    except FileNotFoundError:
        entries = []
    own = address.partition('://')[2].partition(CHAIN)[0]
    folders, files, age = [], {}, age_of_archive(address, fetched)
    for entry in entries:
        name = entry['name'].rstrip('/').rpartition('/')[2]
        # An object may be named like its folder, or by what no path can have.
        if name in ('', '.', '..') or entry['name'].strip('/') == own:
            continue
        if entry['type'] == 'directory':
            folders.append(name)
        else:
            files[name] = (entry.get('size'), version_of(entry | age))
    _folders[address], _listings[address] = sorted(folders), dict(sorted(files.items()))
