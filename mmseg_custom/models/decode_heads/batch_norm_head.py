"""One linear layer on normalized features."""

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class BatchNormHead(BaseDecodeHead):
    """The linear evaluation of DINOv2 (Oquab et al., TMLR 2024): BatchNorm, then a 1x1 convolution.

    Features of a frozen backbone have channels of very different sizes, which one learning rate
    does not suit.

    Input: features of ``in_index``; of several, which are resized to the first and concatenated
    (``input_transform='resize_concat'``). Output: ``(N, num_classes, h, w)``.

    Args:
        **kwargs: Of mmseg's ``BaseDecodeHead``; ``channels`` is the sum of ``in_channels``.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = nn.BatchNorm2d(self.in_channels)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Return the logits."""
        return self.cls_seg(self.bn(self._transform_inputs(inputs)))
