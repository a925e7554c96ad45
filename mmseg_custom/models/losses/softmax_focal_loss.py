"""Focal loss over exclusive classes."""

from mmseg.registry import MODELS
from torch import Tensor
from torch.nn import functional

from mmseg_custom.utils import UserError

from .pixel_loss import PixelLoss


@MODELS.register_module()
class SoftmaxFocalLoss(PixelLoss):
    """``(1 - p) ** gamma * -log(p)`` of the true class's softmax probability p.

    Lin et al., "Focal Loss for Dense Object Detection" (ICCV 2017), for classes of which each pixel
    has one, as the contest team used it; the paper's alpha is ``class_weight``. mmseg's
    ``FocalLoss`` treats each class as a yes or no of its own (sigmoid).

    Args:
        gamma: How little easy pixels count, at least 0; 0 is cross entropy.
        **kwargs: As :class:`PixelLoss`.

    Raises:
        UserError: ``gamma`` is negative.
    """

    default_name = 'loss_focal'

    def __init__(self, gamma: float = 2.0, **kwargs):
        if not gamma >= 0:
            raise UserError(f'SoftmaxFocalLoss: gamma {gamma} is not at least 0')
        super().__init__(**kwargs)
        self.gamma = gamma

    def pixel_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the focal loss of each pixel, ``(N, H, W)``."""
        nll = functional.cross_entropy(logits, labels, reduction='none')
        # 1 - exp(-nll) without the loss of digits near 0; the floor keeps the slope of a power
        # below 1 finite at a pixel that is right beyond doubt.
        miss = (-nll).expm1().neg().clamp(min=1e-12)
        return miss**self.gamma * nll
