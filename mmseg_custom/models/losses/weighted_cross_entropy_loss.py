"""Cross entropy with class weights."""

from mmseg.registry import MODELS
from torch import Tensor
from torch.nn import functional

from .pixel_loss import PixelLoss


@MODELS.register_module()
class WeightedCrossEntropyLoss(PixelLoss):
    """PyTorch's cross entropy, by default with larger weights for rare classes.

    With ``class_weight='auto', weight_method='effective'`` the class-balanced loss of Cui et al.,
    "Class-Balanced Loss Based on Effective Number of Samples" (CVPR 2019). With
    ``class_weight=None`` plain cross entropy. mmseg's ``CrossEntropyLoss`` takes numbers only, and
    fails with them when ``avg_non_ignore=True``.

    Args:
        class_weight: By default the weights are derived from the data.
        **kwargs: As :class:`PixelLoss`.

    Shape: logits ``(N, C, H, W)``, labels ``(N, H, W)``; the result is a scalar.
    """

    default_name = 'loss_wce'

    def __init__(self, class_weight='auto', **kwargs):
        super().__init__(class_weight=class_weight, **kwargs)

    def pixel_losses(self, logits: Tensor, labels: Tensor, class_weight: Tensor | None) -> Tensor:
        """Return the negative log-likelihood of each pixel; see :class:`PixelLoss`."""
        return functional.cross_entropy(logits, labels, weight=class_weight, reduction='none')
