"""A segmentor as a function from photos to classes, with nothing to do before or after it."""

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmseg_custom.models.probabilities import class_probabilities

from .replace import exportable

RGB_TO_BGR = [2, 1, 0]


class PhotoModel(nn.Module):
    """Normalizes, pads, segments and crops as mmseg does in a test, in one traceable graph.

    Args:
        segmentor: An mmseg ``EncoderDecoder`` that looks at whole photos; stays as it is.
        argmax: Return labels instead of probabilities.
    """

    def __init__(self, segmentor: BaseModel, argmax: bool = False):
        super().__init__()
        self.segmentor: Any = exportable(segmentor)
        self.argmax = argmax
        preprocessor = segmentor.data_preprocessor
        # mmseg's photos are BGR; one that does not convert them has a model that wants BGR.
        self.wants_bgr = not preprocessor._channel_conversion
        self.is_normalized = preprocessor._enable_normalize
        self.divisor = (preprocessor.test_cfg or {}).get('size_divisor') or 1
        self.pad_value = preprocessor.pad_val

    def forward(self, photo: Tensor) -> Tensor:
        """Segment.

        Args:
            photo: ``(N, 3, H, W)`` uint8 RGB.

        Returns:
            Tensor: ``(N, C, H, W)`` float32 probabilities, or ``(N, H, W)`` uint8 labels.
        """
        height, width = photo.shape[2], photo.shape[3]
        x = self._prepare(photo)
        logits = self.segmentor.encode_decode(x, [dict(img_shape=tuple(x.shape[2:]))])
        logits = logits[:, :, :height, :width]
        # Among several classes the largest logit is the largest probability.
        is_decided = self.argmax and logits.shape[1] > 1
        scores = logits if is_decided else class_probabilities(logits, 1)
        return scores.argmax(dim=1).to(torch.uint8) if self.argmax else scores

    def _prepare(self, photo: Tensor) -> Tensor:
        """Do what the data preprocessor does."""
        x = (photo[:, RGB_TO_BGR] if self.wants_bgr else photo).float()
        if self.is_normalized:
            preprocessor = self.segmentor.data_preprocessor
            x = (x - preprocessor.mean) / preprocessor.std
        down, right = [(self.divisor - side % self.divisor) % self.divisor for side in x.shape[2:]]
        return F.pad(x, (0, right, 0, down), value=self.pad_value)
