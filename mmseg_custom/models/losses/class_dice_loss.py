"""Dice loss of each class."""

import torch
from mmseg.registry import MODELS
from torch import Tensor

from .overlap_loss import OverlapLoss


@MODELS.register_module()
class ClassDiceLoss(OverlapLoss):
    """One minus ``2 |A B| / (|A| + |B|)`` of each class that occurs in a photo.

    Milletari et al., "V-Net" (3DV 2016), as segmentation_models_pytorch computes it: a class that
    is not in a photo adds nothing. mmseg's ``DiceLoss`` puts all classes into one fraction, in
    which Background hides the others, and counts predictions on ignored pixels.

    Args:
        smooth: Pixels added to the overlap and to the mean area, at least 0.
        **kwargs: As :class:`ClassWeightedLoss`.
    """

    default_name = 'loss_dice'

    def __init__(self, smooth: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.smooth = smooth

    def class_losses(self, shared: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Return one minus the Dice coefficients, 0 for classes that are not there."""
        mean_area = ((predicted + true) / 2 + self.smooth).clamp(min=1e-7)
        dice = (shared + self.smooth) / mean_area
        return torch.where(true > 0, 1 - dice, 0)
