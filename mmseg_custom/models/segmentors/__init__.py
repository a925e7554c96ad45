"""Registered segmentors (MODELS)."""

from .hf_query_segmentor import HFQuerySegmentor
from .mean_teacher_segmentor import MeanTeacherSegmentor
from .pseudo_encoder_decoder import PseudoEncoderDecoder
from .trash_tta_model import TrashTTAModel

__all__ = ['HFQuerySegmentor', 'MeanTeacherSegmentor', 'PseudoEncoderDecoder', 'TrashTTAModel']
