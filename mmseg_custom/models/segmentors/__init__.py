"""Registered segmentors (MODELS)."""

from .feature_pre_processor import FeaturePreProcessor
from .hf_query_segmentor import HFQuerySegmentor
from .mean_teacher_segmentor import MeanTeacherSegmentor
from .pseudo_encoder_decoder import PseudoEncoderDecoder
from .trash_cascade_encoder_decoder import TrashCascadeEncoderDecoder
from .trash_encoder_decoder import TrashEncoderDecoder
from .trash_tta_model import TrashTTAModel

__all__ = [
    'FeaturePreProcessor',
    'HFQuerySegmentor',
    'MeanTeacherSegmentor',
    'PseudoEncoderDecoder',
    'TrashCascadeEncoderDecoder',
    'TrashEncoderDecoder',
    'TrashTTAModel',
]
