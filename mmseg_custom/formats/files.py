"""Files of labels: their names, and their text, which may be anyone's."""

import json
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from xml.etree import ElementTree

from mmseg_custom.coco.photos import PHOTO_SUFFIXES
from mmseg_custom.utils import UserError

MAX_BYTES = 2**30


def clean_name(name: str) -> str:
    """Return a file name with ``/``, without what leads out of its folder.

    Raises:
        UserError: It is absolute, leads out, or no file can have it.
    """
    windows = PureWindowsPath(name)
    path = PurePosixPath(windows.as_posix() if '\\' in name else name)
    if not name or '\0' in name or path.is_absolute() or windows.drive or '..' in path.parts:
        raise UserError(f'the file name {name[:99]!r} leads out of the set')
    return path.as_posix()


def find_photo(stem: Path) -> Path | None:
    """Return the photo with a path and any suffix, or None."""
    for suffix in sorted(PHOTO_SUFFIXES):
        for one in (suffix, suffix.upper()):
            path = stem.with_name(stem.name + one)
            if path.is_file():
                return path
    return None


def read_text(path: Path) -> str:
    """Return a text file.

    Raises:
        UserError: It is missing, over 1 GiB, or not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f'{path}: is over {MAX_BYTES} bytes: split it')
        return path.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror}') from None
    except UnicodeDecodeError:
        raise UserError(f'{path}: is not UTF-8 text') from None


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        UserError: It does not parse.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path}: does not parse as JSON ({error})') from None


def has_keys(path: Path, *keys: str) -> bool:
    """Return whether a file looks like a JSON object with some keys, without parsing it."""
    text = _text_of(path)
    return text.startswith('{') and all(f'"{key}"' in text for key in keys)


def first_entry(path: Path) -> Any:
    """Return the first entry of a JSON list; the rest is not parsed. None for any other file."""
    text = _text_of(path)
    try:
        return json.JSONDecoder().raw_decode(text[1:].lstrip())[0] if text[:1] == '[' else None
    except (ValueError, RecursionError):
        return None


def _text_of(path: Path) -> str:
    """Return the text of a file that may be anything; empty where it is none."""
    try:
        return path.read_text(encoding='utf-8-sig').lstrip()
    except ValueError:
        return ''


def read_xml(path: Path) -> ElementTree.Element:
    """Return the root of an XML file, which must not declare entities.

    Raises:
        UserError: It does not parse, or has a document type, which could be a bomb of entities.
    """
    text = read_text(path)
    if re.search('<!(DOCTYPE|ENTITY)', text):
        raise UserError(f'{path}: declares a document type; no labeling tool writes one')
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise UserError(f'{path}: does not parse as XML ({error})') from None
