"""Registered parts of models (MODELS), and how FSDP divides them (FUNCTIONS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from . import backbones, decode_heads, losses, segmentors
from .wrap_by_size import wrap_by_size

__all__ = ['backbones', 'decode_heads', 'losses', 'segmentors', 'wrap_by_size']
