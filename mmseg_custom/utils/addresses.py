"""Addresses of remote files as paths of the local cache, and back.

An archive is addressed as fsspec chains it: ``tar://photos/a.jpg::s3://bucket/set.tar``, or
``zip://photos::data/set.zip`` on this disk. In the cache the archive comes first, so that paths are
joined as those of other files. An archive that is named ``….tar``, ``….zip`` or ``….lmdb`` may have
a path behind it instead.
"""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

PLACE = 'TRASH_SEG_CACHE'
# Two letters at least: a drive of Windows has one. pathlib makes one slash of two.
ADDRESS = re.compile(r'([a-z][a-z0-9]+):/{1,2}([^/].*)', re.DOTALL)
ARCHIVES, CHAIN = ('tar', 'zip', 'lmdb'), '::'
ARCHIVE = re.compile(r'(.+?\.(?:tar|zip|lmdb(?:/data\.mdb)?|mdb))(?:/(.*))?', re.DOTALL)
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
    if scheme in ARCHIVES and CHAIN in name:
        name = _archive_first(name)
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
    if scheme in ARCHIVES:
        archive, _, member = name.partition(os.sep)
        name = f'{member}{CHAIN}{unquote(archive)}'
    return f'{scheme}://{name}'


def split_archive(address: str) -> tuple[str, str, str] | None:
    """Return scheme, archive (a path or an address) and member; None for others."""
    scheme, _, name = address.partition('://')
    if scheme not in ARCHIVES:
        return None
    member, _, archive = name.partition(CHAIN)
    return scheme, archive, member


def why_not_plain(path: str | os.PathLike) -> str:
    """Return what is wrong where an archive on this disk is taken for a folder or a file.

    Args:
        path: A path; empty is returned where neither it nor a folder above it is an archive.
    """
    for place in (Path(path), *Path(path).parents):
        suffix = place.suffix.lower().removeprefix('.')
        scheme = 'lmdb' if suffix == 'mdb' else suffix
        # A folder may have any name; that of an LMDB has its data.
        if scheme in ARCHIVES and (place.is_file() or (place / 'data.mdb').is_file()):
            what = f'name what is in it: {scheme}://::{place} is its top folder'
            return '' if address_of(path) else f'{place}: is an archive; {what}'
    return ''


def parent_of(address: str) -> tuple[str, str]:
    """Return the address of the folder that a file is in, and the name of the file there."""
    path, chain, archive = address.partition(CHAIN)
    folder, _, name = path.rpartition('/')
    # What is on top of an archive has no folder before it: tar://a.json::set.tar.
    top = '/' if folder.endswith(':/') else ''
    return f'{folder}{top}{chain}{archive}', name


def _archive_first(name: str) -> str:
    member, _, archive = name.partition(CHAIN)
    if found := ARCHIVE.fullmatch(archive):
        archive, behind = found.groups()
        member = os.path.join(member, behind or '')
    remote = ADDRESS.fullmatch(archive)
    archive = '{}://{}'.format(*remote.groups()) if remote else os.path.abspath(archive)
    return os.path.join(quote(archive, safe=''), member)


def shown(text: str) -> str:
    """Return a message with addresses in place of paths of the cache."""
    start = f'{files_folder()}{os.sep}'
    if start not in text:
        return text
    archives = '|'.join(ARCHIVES)
    text = re.sub(rf'{re.escape(start)}(?:{archives})/([^/\s]+)', lambda one: unquote(one[1]), text)
    return re.sub(f'{re.escape(start)}([a-z][a-z0-9]+)/', r'\1://', text)
