"""Importing this module registers all plug-ins with MMSegmentation; configs name it."""

from . import datasets, evaluation, fileio, hooks, models, optim, transforms

__all__ = ['datasets', 'evaluation', 'fileio', 'hooks', 'models', 'optim', 'transforms']
