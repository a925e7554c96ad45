"""Registered backbones, and complete models of other libraries (MODELS)."""

from .efficientnet_lite0 import EfficientNetLite0
from .hf_model import HFModel
from .smp_model import SMPModel
from .timm_features import TimmFeatures

__all__ = ['EfficientNetLite0', 'HFModel', 'SMPModel', 'TimmFeatures']
