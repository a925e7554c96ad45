"""A head for models that give logits themselves."""

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class LogitsHead(BaseDecodeHead):
    """Takes the logits of a complete model (:class:`SMPModel`, :class:`HFModel`) as they are.

    It has no weights; losses, ignored pixels, resizing to the labels' size and prediction are those
    of every head of MMSegmentation.

    Args:
        num_classes: Number of classes.
        **kwargs: ``loss_decode``, ``ignore_index`` and so on, as mmseg's ``BaseDecodeHead``.
    """

    def __init__(self, num_classes: int, **kwargs):
        super().__init__(
            in_channels=num_classes,
            channels=num_classes,
            num_classes=num_classes,
            dropout_ratio=0,
            init_cfg=None,
            **kwargs,
        )
        del self.conv_seg

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Return the last of the inputs, ``(N, num_classes, H, W)``."""
        return inputs[-1]
