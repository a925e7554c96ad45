"""Reading and writing checkpoints, here and by MMEngine (its file backends and loaders)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .mmengine_files import safe_mmengine_files
from .safe_local_loader import load_local
from .whole_file_backend import WholeFileBackend

__all__ = ['WholeFileBackend', 'load_local', 'safe_mmengine_files']
