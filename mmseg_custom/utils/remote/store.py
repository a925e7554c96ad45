"""Ask a remote store: one number of tries, one back-off and one message for all protocols."""

import errno
import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mmseg_custom.utils.errors import UserError

TRIES = 5
# Seconds. The pauses between the tries are twice as long each time, and up to twice that, so that
# many processes do not ask again at the same moment.
FIRST_PAUSE, CONNECT_TIMEOUT, READ_TIMEOUT = 0.5, 10, 60
LOCAL_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# By name, since they are of packages that need not be there.
FINAL = ('NoCredentialsError', 'PartialCredentialsError', 'ProfileNotFound', 'InvalidURL')
GONE, REFUSED = (404, 410), (401, 403)
VERSION_KEYS = (
    'ETag',
    'etag',
    'md5Hash',
    'LastModified',
    'Last-Modified',
    'updated',
    'mtime',
    'CRC',
)
Result = TypeVar('Result')


def ask(address: str, work: Callable[[Any, str], Result]) -> Result:
    """Return what ``work`` finds, after several tries where the network or the server fails.

    Args:
        address: Such as ``s3://bucket/name``.
        work: Called with the ``fsspec`` file system and the address.

    Raises:
        FileNotFoundError: It is not there.
        UserError: No access, a package is missing, or each try failed.
    """
    for number in range(1, TRIES + 1):
        try:
            return work(_file_system(address), address)
        except (UserError, KeyboardInterrupt):
            raise
        except Exception as error:
            reason = _require_passing(address, error)
            if number == TRIES:
                raise UserError(
                    f'{address}: cannot be read after {TRIES} tries ({reason})', kind='remote-fault'
                ) from None
        pause = FIRST_PAUSE * 2 ** (number - 1)
        # Not from the seeded generators, whose numbers belong to the training.
        time.sleep(pause * (1 + random.SystemRandom().random()))
    raise AssertionError('unreachable')


def _require_passing(address: str, error: Exception) -> str:
    """Return the reason for a fault that may pass; raise for one that stays."""
    if isinstance(error, FileNotFoundError):
        # fsspec says so of a web server whatever happened.
        cause = error.__cause__
        if not type(cause).__module__.startswith('aiohttp') or _status(cause) in GONE:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), address) from None
        error = cause if isinstance(cause, Exception) else error
    reason = f'{type(error).__name__}: {error}'.removesuffix(': ')
    # gcsfs says so with a plain OSError.
    forbidden = isinstance(error, PermissionError) or str(error).startswith('Forbidden: ')
    refused = forbidden or _status(error) in REFUSED
    if refused or type(error).__name__ in FINAL:
        message = f'{address}: the storage refuses access ({reason})'
        raise UserError(message, kind='remote-access') from None
    if isinstance(error, OSError) and error.errno in LOCAL_FAULTS:
        raise error
    return reason


def _status(error: object) -> int | None:
    """Return the HTTP status of an error of aiohttp or gcsfs."""
    return getattr(error, 'status', None) or getattr(error, 'code', None)


def version_of(info: Mapping[str, Any]) -> int:
    """Return a number that differs for another content of a remote file.

    It is kept as the modification time of the copy, in nanoseconds, as every file system can.

    Args:
        info: What ``fsspec`` says of the file.
    """
    said = next((str(info[key]) for key in VERSION_KEYS if info.get(key)), '')
    digest = hashlib.sha256(f'{said}|{info.get("size")}'.encode()).digest()
    return int.from_bytes(digest[:7])


def can_list(address: str) -> bool:
    """Return whether the names in a folder can be asked for, which a web server has no way for."""
    return not address.startswith('http')


def _file_system(address: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise UserError(f'{address}: needs the package fsspec', kind='remote-package') from None
    scheme = address.partition('://')[0]
    # fsspec keeps one file system for each process, and keeps none over a fork.
    try:
        system = fsspec.filesystem(scheme, **_options(scheme))
    except ImportError as error:
        raise UserError(f'{address}: {error}', kind='remote-package') from None
    except ValueError as error:
        raise UserError(f'{address}: {error}') from None
    if scheme == 's3':
        # The tries are counted here, those of botocore and s3fs would multiply them.
        system.retries = 1
    return system


def _options(scheme: str) -> dict[str, Any]:
    # A cached listing of a large folder takes as much memory as the set itself.
    options: dict[str, Any] = dict(use_listings_cache=False)
    if scheme == 's3':
        timeouts = dict(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)
        options['config_kwargs'] = dict(timeouts, retries=dict(max_attempts=0))
    elif scheme in ('http', 'https'):
        from aiohttp import ClientTimeout

        timeout = ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT)
        options['client_kwargs'] = dict(timeout=timeout)
    return options
