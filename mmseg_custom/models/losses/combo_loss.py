"""Several losses as one."""

from collections.abc import Sequence

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_custom.utils import UserError

from .full_precision import full_precision

CROSS_ENTROPY_AND_DICE = (
    dict(type='WeightedCrossEntropyLoss', class_weight=None),
    dict(type='ClassDiceLoss'),
)


@MODELS.register_module()
class ComboLoss(nn.Module):
    """The sum of several losses, each with its own ``loss_weight``.

    Heads take a list of losses as well; as one loss the sum has one weight, and one place in a
    config.

    Args:
        losses: Configs of losses; by default cross entropy and Dice.
        loss_weight: Factor of the sum.
        loss_name: Name in the log; begins with ``loss_``.

    Raises:
        UserError: No loss.
    """

    def __init__(
        self,
        losses: Sequence[dict] = CROSS_ENTROPY_AND_DICE,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_combo',
    ):
        super().__init__()
        if not losses:
            raise UserError('ComboLoss: losses is empty: name at least one')
        self.losses = nn.ModuleList(MODELS.build(dict(loss)) for loss in losses)
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        seg_logit: Tensor,
        seg_label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        **kwargs,
    ) -> Tensor:
        """Return the sum; arguments and precision as :class:`ClassWeightedLoss`."""
        with full_precision(seg_logit) as logits:
            losses = (
                loss(logits, seg_label, weight=weight, ignore_index=ignore_index)
                for loss in self.losses
            )
            return self.loss_weight * sum(losses)
