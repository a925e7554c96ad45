"""Write files atomically: complete or not at all."""

import contextlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .addresses import address_of
from .errors import UserError

# It can only be read by setting it, which is not for several threads to do at a time.
UMASK = os.umask(0)
os.umask(UMASK)


@contextmanager
def atomic_path(path: str | os.PathLike, durable: bool = False) -> Iterator[Path]:
    """Give a temporary name beside ``path`` and rename it when all went well.

    The temporary name keeps the suffix, since writers such as OpenCV and
    Pillow choose the format by it.

    Args:
        path: The file to write. Missing parent folders are made.
        durable: Wait until the disk has the file, so that a machine that
            loses its power has the old file or the new one.

    Yields:
        Path: A temporary file in the same folder. When the body raises, it is removed, and so are
        the parent folders that were made for it, unless something else was written to them.
    """
    if address := address_of(path):
        raise UserError(f'{address}: results are written to local folders', kind='remote-output')
    path = Path(path)
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f'.{path.stem}.', suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~UMASK)
        if durable:
            _sync(temporary)
        os.replace(temporary, path)
        if durable:
            _sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        _remove_empty(made)
        raise


def publish(files: Sequence[str | os.PathLike], folder: str | os.PathLike) -> None:
    """Move files that belong together to a folder; the first one is there when all are.

    Args:
        files: In a temporary folder.
        folder: Where to.
    """
    with contextlib.ExitStack() as stack:
        # The stack ends with the first.
        for file in files:
            temporary = stack.enter_context(atomic_path(Path(folder, Path(file).name)))
            shutil.copyfile(file, temporary)


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Write ``content`` as JSON to ``path`` in one step (see :func:`atomic_path`).

    NaN and infinity, which JSON does not know, become null; NumPy's and PyTorch's numbers, such as
    the results of mmseg's metrics, become Python's.
    """
    try:
        text = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError):
        text = json.dumps(_finite(content), allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, the innermost first, up to one that is not empty."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _finite(value: Any) -> Any:
    """Replace NaN and infinity by None, and numbers of array libraries by Python's."""
    if getattr(value, 'ndim', None) == 0:
        value = value.item()
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
