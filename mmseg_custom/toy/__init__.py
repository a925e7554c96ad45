"""A drawn data set in the contest's layout, for trying things without the contest's photos."""

from .dataset import write_toy_set

__all__ = ['write_toy_set']
