"""Focal loss over exclusive classes."""

from mmseg.registry import MODELS
from torch import Tensor
from torch.nn import functional

from mmseg_custom.utils import UserError

from .pixel_loss import PixelLoss


@MODELS.register_module()
class SoftmaxFocalLoss(PixelLoss):
    """``(1 - p) ** gamma * -log(p)`` of the true class's softmax probability p.

    Lin et al., "Focal Loss for Dense Object Detection" (ICCV 2017), for exclusive
    classes, as the contest team used it; the paper's alpha is ``class_weight``. mmseg's
    ``FocalLoss`` treats each class as a binary decision of its own (sigmoid).

    Args:
        gamma: Exponent that reduces the loss of easy pixels, at least 0; 0 is cross entropy.
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

    def pixel_losses(self, logits: Tensor, labels: Tensor, class_weight: Tensor | None) -> Tensor:
        """Return the focal loss of each pixel; see :class:`PixelLoss`."""
        nll = functional.cross_entropy(logits, labels, reduction='none')
        # 1 - exp(-nll) without cancellation near 0; the lower limit keeps the derivative of a power
        # below 1 finite at a pixel of probability 1.
        miss = (-nll).expm1().neg().clamp(min=1e-12)
        losses = miss**self.gamma * nll
        return losses if class_weight is None else losses * class_weight[labels]
