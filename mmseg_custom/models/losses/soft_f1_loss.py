"""Macro F1 with probabilities in place of decisions."""

from mmseg.registry import MODELS
from torch import Tensor

from .overlap_loss import OverlapLoss


@MODELS.register_module()
class SoftF1Loss(OverlapLoss):
    """One minus the mean over all classes of the harmonic mean of precision and recall.

    The contest team's. Unlike in :class:`ClassDiceLoss`, a class that is not in a photo counts
    with F1 0, whatever is predicted, so that the loss of a photo of three of eleven classes is at
    least 8/11.

    Args:
        eps: Keeps the fractions finite.
        **kwargs: As :class:`ClassWeightedLoss`.
    """

    default_name = 'loss_f1'

    def __init__(self, eps: float = 1e-7, **kwargs):
        super().__init__(**kwargs)
        self.eps = eps

    def class_losses(self, shared: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Return one minus F1."""
        precision, recall = shared / (predicted + self.eps), shared / (true + self.eps)
        return 1 - 2 * precision * recall / (precision + recall + self.eps)
