"""Digests of files and plain data, and what differs between two sets of them."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import UserError
from .remote import fetched

SHOWN_DIGITS, SHOWN_CHARACTERS = 8, 60
# A file, or the digest of plain data.
Source = Path | str


def differences(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> list[str]:
    """Return one line for each key whose value differs, such as ``tta: was None, is 'flip'``."""
    was, is_now = _flat(was), _flat(is_now)
    keys = [*was, *(key for key in is_now if key not in was)]
    return [
        f'  {key}: was {_show(was.get(key))}, is {_show(is_now.get(key))}'
        for key in keys
        if _content(was.get(key)) != _content(is_now.get(key))
    ]


def _flat(values: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Return nested values by dotted keys; a digest stays with its name."""
    flat = {}
    for key, value in values.items():
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            value = {str(place + 1): one for place, one in enumerate(value)}
        if isinstance(value, dict) and 'sha256' not in value:
            flat |= _flat(value, f'{prefix}{key}.')
        else:
            flat[prefix + key] = value
    return flat


def digest_of_data(value: Any, name: str) -> dict[str, str]:
    """Return the digest of plain data; the name is shown to people and never compared."""
    text = json.dumps(value, sort_keys=True, default=_as_plain)
    return dict(name=name, sha256=hashlib.sha256(text.encode()).hexdigest())


def digest_of_file(path: str | os.PathLike) -> dict[str, str]:
    """Return the digest of a file; its name is shown to people and never compared."""
    return dict(name=Path(path).name, sha256=_sha256(Path(path)))


def _as_plain(value: Any) -> Any:
    """Return what JSON does not know as something that it does."""
    if isinstance(value, bytes):
        return value.hex()
    return value.tolist() if hasattr(value, 'tolist') else repr(value)


def _sha256(path: Path) -> str:
    with open(fetched(path), 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def fingerprint(path: Source, known: list | None, verify: bool) -> list | None:
    """Return ``[size, mtime_ns, sha256]`` of a file; None if it cannot be read."""
    if isinstance(path, str):
        return [0, 0, path]
    try:
        status = Path(fetched(path)).stat()
        stated = [status.st_size, status.st_mtime_ns]
        if known is not None and known[:2] == stated and not verify:
            return known
        return [*stated, _sha256(path)]
    except (OSError, UserError):
        return None


def _content(value: Any) -> Any:
    """Return the digest alone, without the name that stands beside it."""
    return value['sha256'] if isinstance(value, dict) else value


def _show(value: Any) -> str:
    if isinstance(value, dict) and 'sha256' in value:
        return f'{value["name"]} ({value["sha256"][:SHOWN_DIGITS]})'
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f'{text[:SHOWN_CHARACTERS]}…'
