"""Cross entropy against softened labels."""

from mmseg.registry import MODELS
from torch import Tensor
from torch.nn import functional

from mmseg_custom.utils import UserError

from .pixel_loss import PixelLoss


@MODELS.register_module()
class LabelSmoothingLoss(PixelLoss):
    """Cross entropy with a fraction of each label spread over all classes.

    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (CVPR 2016);
    the value of ``torch.nn.functional.cross_entropy`` with ``label_smoothing``, ``weight`` and
    ``ignore_index``: the weight of a class also counts in what is spread over it.

    Args:
        smoothing: The fraction that is spread, in [0, 1).
        **kwargs: As :class:`PixelLoss`.

    Raises:
        UserError: ``smoothing`` is outside its range.
    """

    default_name = 'loss_smooth'

    def __init__(self, smoothing: float = 0.1, **kwargs):
        if not 0 <= smoothing < 1:
            raise UserError(f'LabelSmoothingLoss: smoothing {smoothing} is not in [0, 1)')
        super().__init__(**kwargs)
        self.smoothing = smoothing

    def pixel_losses(self, logits: Tensor, labels: Tensor, class_weight: Tensor | None) -> Tensor:
        """Return the smoothed loss of each pixel; see :class:`PixelLoss`."""
        return functional.cross_entropy(
            logits,
            labels,
            weight=class_weight,
            reduction='none',
            label_smoothing=self.smoothing,
        )
