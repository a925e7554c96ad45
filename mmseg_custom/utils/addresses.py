"""Addresses of remote files as paths of the local cache, and back."""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

PLACE = 'TRASH_SEG_CACHE'
# Two letters at least: a drive of Windows has one. pathlib makes one slash of two.
ADDRESS = re.compile(r'([a-z][a-z0-9]+):/{1,2}([^/].*)', re.DOTALL)
AnyPath = TypeVar('AnyPath')


def cache_folder() -> str:
    """Return the folder of the cache: ``TRASH_SEG_CACHE``, or one in the user's cache folder."""
    return _cache_folder(os.environ.get(PLACE), os.environ.get('XDG_CACHE_HOME'))


@lru_cache
def _cache_folder(own: str | None, of_user: str | None) -> str:
    folder = own or os.path.join(of_user or os.path.expanduser('~/.cache'), 'trash-seg')
    # Paths are resolved now and then, which shall not lead out of it.
    return os.path.realpath(folder)


def files_folder() -> str:
    """Return the folder below which each remote file has its place."""
    return os.path.join(cache_folder(), 'files')


def is_address(path: object) -> bool:
    """Return whether a path is an address, such as ``s3://bucket/set``."""
    return isinstance(path, str | Path) and ADDRESS.fullmatch(str(path)) is not None


def local_path(path: AnyPath) -> AnyPath:
    """Return where the cache has what an address names; any other path as it is.

    Args:
        path: A path or an address, as text or as a path object, which stays of its type.
    """
    found = ADDRESS.fullmatch(str(path)) if isinstance(path, str | Path) else None
    if found is None:
        return path
    scheme, name = found.groups()
    place = os.path.normpath(os.path.join(files_folder(), scheme, name))
    return type(path)(place)  # type: ignore[call-arg]


def address_of(path: str | os.PathLike) -> str | None:
    """Return the address that a path of the cache stands for, or an address; None: a local file."""
    text, start = os.fspath(local_path(path)), f'{files_folder()}{os.sep}'
    if not text.startswith(start):
        return None
    # A name in an annotation file may lead up.
    text = os.path.normpath(text)
    if not text.startswith(start):
        return None
    scheme, _, name = text.removeprefix(start).partition(os.sep)
    return f'{scheme}://{name}'


def shown(text: str) -> str:
    """Return a message with addresses in place of paths of the cache."""
    start = f'{files_folder()}{os.sep}'
    return re.sub(f'{re.escape(start)}([a-z][a-z0-9]+)/', r'\1://', text) if start in text else text
