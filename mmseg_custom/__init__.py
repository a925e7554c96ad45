"""Plug-ins for MMSegmentation.

Importing :mod:`mmseg_custom.plugins` registers all of them. This package itself imports nothing, so
that the tools that only read and write data need not wait seconds for torch.
"""

from .version import __version__

__all__ = ['__version__']
