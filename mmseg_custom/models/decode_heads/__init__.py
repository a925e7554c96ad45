"""Registered heads (MODELS)."""

from .logits_head import LogitsHead
from .unet_plus_plus_head import UNetPlusPlusHead

__all__ = ['LogitsHead', 'UNetPlusPlusHead']
