"""Cross entropy with weights that follow from the data."""

from mmseg.registry import MODELS
from torch import Tensor
from torch.nn import functional

from .pixel_loss import PixelLoss


@MODELS.register_module()
class WeightedCrossEntropyLoss(PixelLoss):
    """Cross entropy in which rare classes weigh more.

    With ``class_weight='auto', weight_method='effective'`` the class-balanced loss of Cui et al.,
    "Class-Balanced Loss Based on Effective Number of Samples" (CVPR 2019). mmseg's
    ``CrossEntropyLoss`` takes numbers only. Arguments as :class:`PixelLoss`; by default the weights
    are derived from the data.
    """

    default_name = 'loss_wce'

    def __init__(self, class_weight='auto', **kwargs):
        super().__init__(class_weight=class_weight, **kwargs)

    def pixel_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the negative log-likelihood of each pixel, ``(N, H, W)``."""
        return functional.cross_entropy(logits, labels, reduction='none')
