"""Registered segmentors (MODELS)."""

from .hf_query_segmentor import HFQuerySegmentor

__all__ = ['HFQuerySegmentor']
