"""What a Python user calls."""

from .test import test
from .train import train

__all__ = ['test', 'train']
