"""Models that classify masks, trained by their own loss."""

import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from .trash_encoder_decoder import TrashEncoderDecoder


@MODELS.register_module()
class HFQuerySegmentor(TrashEncoderDecoder):
    """Mask2Former, EoMT and MaskFormer of transformers.

    Predicts as every ``EncoderDecoder`` does, through an :class:`HFModel` and a
    :class:`LogitsHead`. Trains by the loss of the model itself: queries are matched to the classes
    of a photo (Hungarian matching), then their class and mask are compared. Each class that is in
    a photo, also the background, is one mask; ignored pixels belong to none. The head's
    ``loss_decode`` is not used.
    """

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Compute the model's own loss.

        Args:
            inputs: ``(N, 3, H, W)``.
            data_samples: With ``gt_sem_seg`` of ``(1, H, W)`` labels.

        Returns:
            dict[str, Tensor]: ``loss_query``, a scalar.
        """
        ignored = self.decode_head.ignore_index
        masks, classes = [], []
        for sample in data_samples:
            labels = sample.gt_sem_seg.data[0]
            present = torch.unique(labels)
            present = present[present != ignored]
            classes.append(present)
            masks.append((labels == present[:, None, None]).float())
        found = self.backbone.model(pixel_values=inputs, mask_labels=masks, class_labels=classes)
        return dict(loss_query=found.loss.squeeze())
