"""What losses that are a mean over pixels have in common."""

from abc import abstractmethod

import torch
from torch import Tensor

from .class_weighted_loss import ClassWeightedLoss


class PixelLoss(ClassWeightedLoss):
    """A weighted mean over the pixels that are not ignored.

    Each pixel counts by the weight of its class, as in ``torch.nn.CrossEntropyLoss``, so that the
    value of a batch is the mean of its parts' by their weights, however it is split.

    Args:
        avg_non_ignore: Whether the mean leaves ignored pixels out or counts them as 0. With class
            weights they are left out in any case, as in mmseg.
        **kwargs: As :class:`ClassWeightedLoss`.

    Raises:
        UserError: Wrong options.
    """

    default_name = 'loss_pixel'

    def __init__(self, avg_non_ignore: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.avg_non_ignore = avg_non_ignore

    @abstractmethod
    def pixel_losses(self, logits: Tensor, labels: Tensor, class_weight: Tensor | None) -> Tensor:
        """Return the loss of each pixel, times the weight of its class.

        Args:
            logits: ``(N, C, H, W)`` float32 or float64.
            labels: ``(N, H, W)`` int64 in 0..C-1.
            class_weight: ``(C,)`` of the type of ``logits``, or None.

        Returns:
            Tensor: ``(N, H, W)``.
        """

    def compute(
        self,
        logits: Tensor,
        labels: Tensor,
        valid: Tensor,
        class_weight: Tensor | None,
        weight: Tensor | None,
    ) -> Tensor:
        """Return the mean; see :meth:`ClassWeightedLoss.compute`."""
        losses = self.pixel_losses(logits, labels, class_weight)
        if weight is not None:
            losses = losses * weight
        # An ignored pixel may have an infinite loss, and 0 times it is not a number.
        total = torch.where(valid, losses, 0).sum()
        if class_weight is not None:
            count = torch.where(valid, class_weight[labels], 0).sum()
        else:
            count = (valid if self.avg_non_ignore else torch.ones_like(valid)).sum().to(logits)
        return total / count.clamp(min=torch.finfo(logits.dtype).tiny)
