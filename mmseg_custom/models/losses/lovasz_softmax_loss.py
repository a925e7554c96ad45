"""Lovasz-Softmax, the extension of the Jaccard index to probabilities."""

import torch
from mmseg.registry import MODELS
from torch import Tensor

from .overlap_loss import OverlapLoss


@MODELS.register_module()
class LovaszSoftmaxLoss(OverlapLoss):
    """Lovasz-Softmax (Berman et al., CVPR 2018), over the classes of each photo.

    The mean over the photos of the mean over the classes that occur in a photo. A photo without
    labels has the loss 0. mmseg's ``LovaszLoss(per_image=True, reduction='mean')`` gives the same,
    but fails for a photo that is ignored completely or has one labeled pixel.

    Takes the arguments of :class:`ClassWeightedLoss`.

    Shape: logits ``(N, C, H, W)``, labels ``(N, H, W)``; the result is a scalar.
    """

    default_name = 'loss_lovasz'

    def class_losses(self, shared: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Not used: the loss depends on the order of the pixels' errors, not on sums."""
        raise NotImplementedError

    def photo_losses(
        self, probabilities: Tensor, truth: Tensor, class_weight: Tensor | None
    ) -> Tensor:
        """Return the loss of each photo; see :meth:`OverlapLoss.photo_losses`."""
        pairs = zip(probabilities, truth, strict=True)
        # One photo after the other: the order of the pixels takes eight bytes a pixel and class.
        losses = torch.stack([lovasz(*pair) for pair in pairs])
        if class_weight is not None:
            losses = losses * class_weight
        present = truth.any(dim=2)
        return (losses * present).sum(1) / present.sum(1).clamp(min=1)


def lovasz(probabilities: Tensor, truth: Tensor) -> Tensor:
    """Return the Lovasz extension of the Jaccard loss of each class.

    Ignored pixels have the error 0, are sorted last, and add nothing.

    Args:
        probabilities: ``(C, P)``.
        truth: ``(C, P)`` of 0 and 1.

    Returns:
        Tensor: ``(C,)``.
    """
    errors, order = (truth - probabilities).abs().sort(dim=1, descending=True)
    hits = truth.gather(1, order).long()
    total = hits.sum(1, keepdim=True)
    intersection, union = total - hits.cumsum(1), total + (1 - hits).cumsum(1)
    # The steps of the Jaccard loss along the pixels. As differences of neighboring values they
    # would lose half of their digits in float32.
    missed = intersection.to(errors) / (union * (union - 1)).clamp(min=1).to(errors)
    steps = torch.where(hits.bool(), 1 / union.clamp(min=1).to(errors), missed)
    return (errors * steps).sum(1)
