"""Plug-ins for MMSegmentation: importing this package registers all of them."""

from . import _quiet_mmseg  # noqa: F401, I001  (first: the others import mmseg)
from . import datasets, evaluation, hooks, transforms
from .version import __version__

__all__ = ['__version__', 'datasets', 'evaluation', 'hooks', 'transforms']
