"""What losses of the overlap of classes have in common."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmseg_custom.utils import UserError


class OverlapLoss(nn.Module, ABC):
    """The mean over the photos and classes of one minus an overlap of truth and probabilities.

    Taken photo by photo, so that the value of a batch is the mean of its photos' however it is
    split over processes or accumulation steps. Ignored pixels count neither in the truth nor in
    the prediction. Computed in float32 (or float64 where the logits are) also under autocast.

    Args:
        loss_weight: Factor of the result.
        loss_name: Name in the log; begins with ``loss_``.
    """

    default_name = 'loss_overlap'

    def __init__(self, loss_weight: float = 1.0, loss_name: str | None = None):
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name or self.default_name

    @abstractmethod
    def class_losses(self, shared: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Return the loss of each photo and class, all ``(N, C)``.

        Args:
            shared: Sums of the probabilities of the true class.
            predicted: Sums of the probabilities.
            true: Numbers of pixels.
        """

    def forward(
        self,
        seg_logit: Tensor,
        seg_label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        **kwargs,
    ) -> Tensor:
        """Compute the loss; arguments and result as :meth:`PixelLoss.forward`.

        Raises:
            UserError: A pixel sampler asks for weights of pixels, which an overlap has not.
        """
        if weight is not None:
            raise UserError(
                f'{type(self).__name__}: pixels cannot be weighed: use it without a pixel sampler'
            )
        with torch.autocast(seg_logit.device.type, enabled=False):
            logits = seg_logit if seg_logit.dtype == torch.float64 else seg_logit.float()
            valid = (seg_label != ignore_index)[:, None]
            labels = torch.where(valid[:, 0], seg_label, 0)
            truth = functional.one_hot(labels, logits.shape[1]).movedim(-1, 1).to(logits) * valid
            probabilities = logits.softmax(dim=1) * valid
            sums = (x.flatten(2).sum(-1) for x in (truth * probabilities, probabilities, truth))
            return self.loss_weight * self.class_losses(*sums).mean()
