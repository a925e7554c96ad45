"""UNet++'s nested decoder on any backbone's features."""

from collections.abc import Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor

from mmseg_custom.utils.extras import needing


@MODELS.register_module()
class UNetPlusPlusHead(BaseDecodeHead):
    """The decoder of segmentation_models_pytorch's UNet++ (Zhou et al., DLMIA 2018).

    :class:`SMPModel` has UNet++ with that library's own encoders, whose weights come from a hub.

    Input: one feature map for each of ``in_index``, each half as large as the one before. Output:
    ``(N, num_classes, h, w)``, twice as large as the first.

    Args:
        decoder_channels: Channels of the decoder's blocks, deepest first; as many as features.
        **kwargs: Of mmseg's ``BaseDecodeHead``.

    Raises:
        UserError: segmentation_models_pytorch is missing.
    """

    def __init__(self, decoder_channels: Sequence[int] = (128, 64, 48, 32), **kwargs):
        super().__init__(input_transform='multiple_select', channels=decoder_channels[-1], **kwargs)
        with needing('segmentation_models_pytorch', 'zoo'):
            from segmentation_models_pytorch.decoders.unetplusplus.decoder import (
                UnetPlusPlusDecoder,
            )
        # It takes the photo for the first features, and leaves it out.
        self.decoder = UnetPlusPlusDecoder(
            (3, *self.in_channels), decoder_channels, n_blocks=len(decoder_channels)
        )

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Return the logits."""
        features = self._transform_inputs(inputs)
        return self.cls_seg(self.decoder([features[0], *features]))
