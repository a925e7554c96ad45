"""Registered backbones, and complete models of other libraries (MODELS)."""

from .efficientnet_lite0 import EfficientNetLite0
from .efficientnet_lite1 import EfficientNetLite1
from .efficientnet_lite2 import EfficientNetLite2
from .hf_model import HFModel
from .packaged_mobilenet_v2 import PackagedMobileNetV2
from .smp_model import SMPModel
from .timm_features import TimmFeatures

__all__ = [
    'EfficientNetLite0',
    'EfficientNetLite1',
    'EfficientNetLite2',
    'HFModel',
    'PackagedMobileNetV2',
    'SMPModel',
    'TimmFeatures',
]
