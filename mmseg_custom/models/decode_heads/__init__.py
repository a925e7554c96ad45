"""Registered heads (MODELS)."""

from .batch_norm_head import BatchNormHead
from .logits_head import LogitsHead
from .unet_plus_plus_head import UNetPlusPlusHead

__all__ = ['BatchNormHead', 'LogitsHead', 'UNetPlusPlusHead']
