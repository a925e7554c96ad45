"""How MMEngine reads and writes files (its file backends and checkpoint loaders)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .safe_local_loader import load_local
from .whole_file_backend import WholeFileBackend

__all__ = ['WholeFileBackend', 'load_local']
