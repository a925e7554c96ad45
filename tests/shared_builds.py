"""Expensive products that are built once for all workers of pytest-xdist."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def built_once(tmp_path_factory, worker_id: str, name: str, build: Callable[[Path], None]) -> Path:
    """Return a folder of this session that ``build`` has filled, in whichever worker came first.

    Tests must not change what is in it: copy it first.

    Args:
        tmp_path_factory: pytest's fixture.
        worker_id: pytest-xdist's fixture; 'master' without workers.
        name: Of the folder.
        build: Called with an empty folder.
    """
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == 'master' else base.parent
    folder, done = base / name, base / f'{name}.done'
    with FileLock(base / f'{name}.lock'):
        if not done.exists():
            # Left by a build that failed: it fails again, with its own message.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            done.write_text(tree_digest(folder))
    return folder


def assert_unchanged(folder: Path) -> None:
    """Fail if a test has changed what others share."""
    expected = folder.with_name(f'{folder.name}.done').read_text()
    assert tree_digest(folder) == expected, f'a test has changed {folder}, which others use'


def tree_digest(folder: Path) -> str:
    """Digest the names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob('*')):
        if path.is_file():
            digest.update(f'{path.relative_to(folder)}\0'.encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
