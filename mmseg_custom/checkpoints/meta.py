"""What a checkpoint says about itself, without its weights."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .safe_load import load_checkpoint

# What makes a checkpoint usable by itself; copied wherever one is made from another.
RECORD = ('dataset_meta', 'experiment', 'origin', 'annotations', 'validation_photos')


def checkpoint_meta(path: str | os.PathLike) -> Mapping[str, Any]:
    """Return the ``meta`` of a checkpoint; a file that has not changed is read once.

    Args:
        path: See :func:`~mmseg_custom.checkpoints.safe_load.load_checkpoint`, also for what it
            raises.
    """
    status = os.stat(path)
    return _read(os.fspath(path), status.st_mtime_ns, status.st_size)


def record_of(checkpoint: Mapping) -> dict[str, Any]:
    """Return the part of a loaded checkpoint's ``meta`` that its descendants keep."""
    meta = checkpoint.get('meta') or {}
    return {key: meta[key] for key in RECORD if meta.get(key) is not None}


@lru_cache(maxsize=8)
def _read(path: str, mtime: int, size: int) -> Mapping[str, Any]:
    return load_checkpoint(path).get('meta') or {}
