"""How MMEngine reads and writes local files while a training or a test runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.fileio.backends import registry_utils
from mmengine.fileio.io import backend_instances
from mmengine.runner import CheckpointLoader

from .safe_local_loader import load_local
from .whole_file_backend import WholeFileBackend

LOCAL = ''  # the prefix of a path without a scheme


@contextmanager
def safe_mmengine_files() -> Iterator[None]:
    """Let MMEngine write files atomically and load checkpoints without running code in them.

    MMEngine keeps its file backends and checkpoint loaders in tables that hold for the full
    process. They are replaced for the body only, so that other code in the process, which may rely
    on MMEngine's own, is not affected. Nested use is allowed.
    """
    before = (
        registry_utils.backends['local'],
        registry_utils.prefix_to_backends[LOCAL],
        CheckpointLoader._schemes[LOCAL],
    )
    made = dict(backend_instances)  # backends that are kept for later calls
    _set(WholeFileBackend, WholeFileBackend, load_local)
    backend_instances.clear()
    try:
        yield
    finally:
        _set(*before)
        backend_instances.clear()
        backend_instances.update(made)


def _set(by_name: Any, by_prefix: Any, loader: Any) -> None:
    registry_utils.backends['local'] = by_name
    registry_utils.prefix_to_backends[LOCAL] = by_prefix
    # The table is looked up again: registering another scheme replaces it by a copy.
    CheckpointLoader._schemes[LOCAL] = loader
