"""Importing this module registers all plug-ins with MMSegmentation; configs name it."""

from . import datasets, evaluation, hooks, models, optim, transforms

__all__ = ['datasets', 'evaluation', 'hooks', 'models', 'optim', 'transforms']
