"""Registered losses (MODELS)."""

from .class_dice_loss import ClassDiceLoss
from .class_tversky_loss import ClassTverskyLoss
from .combo_loss import ComboLoss
from .label_smoothing_loss import LabelSmoothingLoss
from .lovasz_softmax_loss import LovaszSoftmaxLoss
from .soft_f1_loss import SoftF1Loss
from .softmax_focal_loss import SoftmaxFocalLoss
from .weighted_cross_entropy_loss import WeightedCrossEntropyLoss

__all__ = [
    'ClassDiceLoss',
    'ClassTverskyLoss',
    'ComboLoss',
    'LabelSmoothingLoss',
    'LovaszSoftmaxLoss',
    'SoftF1Loss',
    'SoftmaxFocalLoss',
    'WeightedCrossEntropyLoss',
]
