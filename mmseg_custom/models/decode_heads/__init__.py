"""Registered heads (MODELS)."""

from .logits_head import LogitsHead

__all__ = ['LogitsHead']
