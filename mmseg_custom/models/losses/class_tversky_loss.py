"""Tversky loss of each class."""

from mmseg.registry import MODELS
from torch import Tensor

from mmseg_custom.utils import UserError

from .overlap_loss import OverlapLoss


@MODELS.register_module()
class ClassTverskyLoss(OverlapLoss):
    """One minus ``TP / (TP + alpha FP + beta FN)`` of each class (Salehi et al., MLMI 2017).

    The value of mmseg's ``TverskyLoss``, which takes the ignored label from its own argument and
    not from the head, and does not report that it ignores the weights of a pixel sampler.

    Args:
        alpha: Weight of false positives, at least 0.
        beta: Weight of false negatives, at least 0.
        smooth: Pixels added to both parts of the fraction, above 0: the loss of a class that is
            neither there nor predicted is 0.
        **kwargs: As :class:`ClassWeightedLoss`.

    Raises:
        UserError: A value outside its range.

    Shape: logits ``(N, C, H, W)``, labels ``(N, H, W)``; the result is a scalar.
    """

    default_name = 'loss_tversky'

    def __init__(self, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0, **kwargs):
        if alpha < 0 or beta < 0 or not smooth > 0:
            raise UserError(
                f'ClassTverskyLoss: alpha {alpha}, beta {beta}, smooth {smooth}: the first two are '
                'at least 0, the last is above 0'
            )
        super().__init__(**kwargs)
        self.alpha, self.beta, self.smooth = alpha, beta, smooth

    def class_losses(self, shared: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Return one minus the Tversky index."""
        wrong = self.alpha * (predicted - shared) + self.beta * (true - shared)
        return 1 - (shared + self.smooth) / (shared + wrong + self.smooth)
