"""A segmentor as a function from photos to classes, with nothing to do before or after it."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmseg_custom.models.probabilities import class_probabilities

from .replace import exportable
from .views import View

RGB_TO_BGR = [2, 1, 0]
# Below the largest of a pixel; exp of it is no zero in float32.
LEAST_LOGIT = -80.0


class PhotoModel(nn.Module):
    """Resizes, normalizes, pads, segments and crops as mmseg does in a test, in one graph.

    Args:
        segmentor: An mmseg ``EncoderDecoder`` that sees complete photos; it is copied.
        views: What the test pipeline makes of a photo
            (:func:`~mmseg_custom.export.views.views_of`), over which probabilities are averaged;
            none: the photo as it is.
        argmax: Return labels instead of probabilities.
    """

    def __init__(self, segmentor: BaseModel, views: Sequence[View] = (), argmax: bool = False):
        super().__init__()
        self.views = nn.ModuleList(views or [View([])])
        self.segmentor: Any = exportable(segmentor)
        self.argmax = argmax
        preprocessor = segmentor.data_preprocessor
        # mmseg's photos are BGR; one that does not convert them has a model that wants BGR.
        self.wants_bgr = not preprocessor._channel_conversion
        self.is_normalized = preprocessor._enable_normalize
        padding = preprocessor.test_cfg or {}
        self.divisor = padding.get('size_divisor') or 1
        self.least = padding.get('size') or (0, 0)
        self.pad_value = preprocessor.pad_val

    def forward(self, photo: Tensor) -> Tensor:
        """Segment.

        Args:
            photo: ``(N, 3, H, W)`` uint8 RGB.

        Returns:
            Tensor: ``(N, C, H, W)`` float32 probabilities, or ``(N, H, W)`` uint8 labels.
        """
        # Among several classes the largest logit is the largest probability.
        if self.argmax and len(self.views) == 1 and self.segmentor.out_channels > 1:
            (view,) = self.views
            scores = self._back(self._logits(photo, view), photo, view)
        else:
            found = [self._probabilities(photo, view) for view in self.views]
            scores = found[0] if len(found) == 1 else sum(found[1:], found[0]) / len(found)
        return scores.argmax(dim=1).to(torch.uint8) if self.argmax else scores

    def _logits(self, photo: Tensor, view: Any) -> Tensor:
        """Return what the model finds in one view, ``(N, C, h, w)`` of the view's size."""
        seen = view(photo)
        height, width = seen.shape[2], seen.shape[3]
        x = self._prepare(seen)
        logits = self.segmentor.encode_decode(x, [dict(img_shape=tuple(x.shape[2:]))])
        return logits[:, :, :height, :width]

    def _back(self, logits: Tensor, photo: Tensor, view: Any) -> Tensor:
        """Bring logits to the photo's size."""
        return view.back(logits, photo.shape[2:], self.segmentor.align_corners)

    def _probabilities(self, photo: Tensor, view: Any) -> Tensor:
        """Return ``(N, C, H, W)`` of the photo's size.

        Softmax is written out: onnxruntime's transposes the classes to the end and back. The
        largest logit is subtracted before the view is enlarged, where there are fewer pixels: no
        mean of such logits is above zero.
        """
        logits = self._logits(photo, view)
        if logits.shape[1] == 1:
            return class_probabilities(self._back(logits, photo, view), 1)
        logits = (logits - logits.amax(dim=1, keepdim=True)).clamp(min=LEAST_LOGIT)
        weights = self._back(logits, photo, view).exp()
        ones = weights.new_ones(1, logits.shape[1])
        total = (ones @ weights.flatten(2)).unflatten(2, weights.shape[2:])
        return weights / total

    def _prepare(self, photo: Tensor) -> Tensor:
        """Do what the data preprocessor does."""
        x = (photo[:, RGB_TO_BGR] if self.wants_bgr else photo).float()
        if self.is_normalized:
            preprocessor = self.segmentor.data_preprocessor
            x = (x - preprocessor.mean) / preprocessor.std
        sides = zip(x.shape[2:], self.least, strict=True)
        down, right = [self._missing(side, least) for side, least in sides]
        return F.pad(x, (0, right, 0, down), value=self.pad_value)

    def _missing(self, side: Any, least: int) -> Any:
        """Return how many pixels a side is padded by."""
        if least:
            return max(least - side, 0) if isinstance(side, int) else (least - side).clamp(min=0)
        return (self.divisor - side % self.divisor) % self.divisor
