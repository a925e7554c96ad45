"""MMSegmentation's cascade whose heads need not say a number of classes."""

from mmseg.models import CascadeEncoderDecoder
from mmseg.registry import MODELS

from .trash_encoder_decoder import SharedNumClasses


@MODELS.register_module()
class TrashCascadeEncoderDecoder(SharedNumClasses, CascadeEncoderDecoder):
    """``CascadeEncoderDecoder`` with one number of classes, see :class:`SharedNumClasses`."""
