"""Registered parts of models (MODELS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from . import backbones, decode_heads, losses, segmentors

__all__ = ['backbones', 'decode_heads', 'losses', 'segmentors']
