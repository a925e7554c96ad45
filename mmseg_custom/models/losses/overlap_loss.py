"""What losses of the overlap of classes have in common."""

from abc import abstractmethod

from torch import Tensor
from torch.nn import functional

from mmseg_custom.utils import UserError

from .class_weighted_loss import ClassWeightedLoss


class OverlapLoss(ClassWeightedLoss):
    """The mean over the photos and classes of one minus an overlap of truth and probabilities.

    Taken photo by photo, so that the value of a batch is the mean of its photos' however it is
    split over processes or accumulation steps. Ignored pixels count neither in the truth nor in
    the prediction; a photo without labels has the loss 0. The loss of a class is multiplied by its
    weight, as in mmseg's ``TverskyLoss``. Takes the arguments of :class:`ClassWeightedLoss`.
    """

    default_name = 'loss_overlap'

    @abstractmethod
    def class_losses(self, shared: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
        """Return the loss of each photo and class, all ``(N, C)``.

        Args:
            shared: Sums of the probabilities of the true class.
            predicted: Sums of the probabilities.
            true: Numbers of pixels.
        """

    def photo_losses(
        self, probabilities: Tensor, truth: Tensor, class_weight: Tensor | None
    ) -> Tensor:
        """Return the loss of each photo, ``(N,)``.

        Args:
            probabilities: ``(N, C, P)``, 0 at ignored pixels.
            truth: ``(N, C, P)``, 1 for the true class of a pixel, else 0; 0 at ignored pixels.
            class_weight: ``(C,)`` or None.
        """
        sums = (x.sum(-1) for x in (truth * probabilities, probabilities, truth))
        losses = self.class_losses(*sums)
        return (losses if class_weight is None else losses * class_weight).mean(1)

    def compute(
        self,
        logits: Tensor,
        labels: Tensor,
        valid: Tensor,
        class_weight: Tensor | None,
        weight: Tensor | None,
    ) -> Tensor:
        """Return the mean over the photos; see :meth:`ClassWeightedLoss.compute`.

        Raises:
            UserError: A pixel sampler asks for weights of pixels, which an overlap does not have.
        """
        if weight is not None:
            raise UserError(
                f'{type(self).__name__}: pixels cannot be weighted: use it without a pixel sampler'
            )
        mask = valid[:, None].to(logits)
        truth = functional.one_hot(labels, logits.shape[1]).movedim(-1, 1).to(logits) * mask
        probabilities = logits.softmax(dim=1) * mask
        losses = self.photo_losses(probabilities.flatten(2), truth.flatten(2), class_weight)
        return (losses * valid.flatten(1).any(1)).mean()
