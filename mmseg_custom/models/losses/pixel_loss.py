"""What losses that are a mean over pixels have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_custom.coco.stats.class_weights import class_weights
from mmseg_custom.utils import UserError

AUTO = 'auto'


class PixelLoss(nn.Module, ABC):
    """A weighted mean over the pixels that are not ignored.

    Each pixel counts by the weight of its class, as in ``torch.nn.CrossEntropyLoss``, so that the
    value of a batch is the mean of its parts' by their weights, however it is split. Computed in
    float32 (or float64 where the logits are) also under autocast. With every pixel ignored it is 0,
    and so is its gradient.

    Args:
        loss_weight: Factor of the result.
        class_weight: One number a class; ``'auto'``: from the pixels of the training set, counted
            by :class:`~mmseg_custom.hooks.ClassWeightHook` before the training begins; None: all
            alike.
        weight_method: For ``'auto'``: ``inverse``, ``median``, ``enet`` or ``effective``, see
            :func:`mmseg_custom.coco.stats.class_weights.class_weights`.
        max_weight: For ``'auto'``: larger weights become this one.
        avg_non_ignore: Whether the mean leaves ignored pixels out, or counts them as 0.
        loss_name: Name in the log; begins with ``loss_``.

    Raises:
        UserError: Wrong options.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        class_weight: Sequence[float] | str | None = None,
        weight_method: str = 'median',
        max_weight: float = 5.0,
        avg_non_ignore: bool = True,
        loss_name: str | None = None,
    ):
        super().__init__()
        self.loss_weight = loss_weight
        self.weight_method = weight_method
        self.max_weight = max_weight
        self.avg_non_ignore = avg_non_ignore
        self.loss_name = loss_name or self.default_name
        # Names the mistake now, not after the set was painted.
        class_weights(np.ones(2), weight_method, max_weight=max_weight)
        if isinstance(class_weight, str) and class_weight != AUTO:
            raise UserError(f'{self._me}: class_weight {class_weight!r}: give numbers or {AUTO!r}')
        self.awaits_class_weight = class_weight == AUTO
        # No buffer: it follows from the data or the config, and averages of models, which pair
        # their buffers by place, are made before it is known.
        self.class_weight: torch.Tensor | None = None
        if class_weight is not None and not isinstance(class_weight, str):
            self._set(class_weight)

    default_name = 'loss_pixel'

    @property
    def _me(self) -> str:
        return type(self).__name__

    def _set(self, weights: Sequence[float] | np.ndarray) -> None:
        tensor = torch.as_tensor(np.asarray(weights, np.float64), dtype=torch.float32)
        if tensor.ndim != 1 or not (torch.isfinite(tensor) & (tensor >= 0)).all():
            raise UserError(f'{self._me}: class_weight {weights}: give a number >= 0 a class')
        self.class_weight = tensor

    def set_class_weight(self, pixel_counts: np.ndarray) -> None:
        """Derive the weights of ``class_weight='auto'`` from the data.

        Args:
            pixel_counts: ``(images, C)`` pixels of the training set.
        """
        self._set(class_weights(pixel_counts, self.weight_method, max_weight=self.max_weight))
        self.awaits_class_weight = False

    @abstractmethod
    def pixel_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of each pixel.

        Args:
            logits: ``(N, C, H, W)`` float32 or float64.
            labels: ``(N, H, W)`` int64 in 0..C-1.

        Returns:
            Tensor: ``(N, H, W)``.
        """

    def forward(
        self,
        seg_logit: Tensor,
        seg_label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        **kwargs,
    ) -> Tensor:
        """Compute the loss as mmseg's decode heads ask for it.

        Args:
            seg_logit: ``(N, C, H, W)`` logits of any float type.
            seg_label: ``(N, H, W)`` int64 labels.
            weight: ``(N, H, W)`` factor of each pixel's loss, or None.
            ignore_index: Pixels of this label do not count.
            **kwargs: Not used.

        Returns:
            Tensor: A scalar.

        Raises:
            UserError: ``class_weight`` has another number of classes, or is not known yet.
        """
        weights = self._weights(seg_logit.shape[1])
        with torch.autocast(seg_logit.device.type, enabled=False):
            logits = seg_logit if seg_logit.dtype == torch.float64 else seg_logit.float()
            valid = seg_label != ignore_index
            labels = torch.where(valid, seg_label, 0)
            share = valid.to(logits.dtype)
            counted = share if self.avg_non_ignore else torch.ones_like(share)
            if weights is not None:
                share = share * weights.to(share)[labels]
                counted = share if self.avg_non_ignore else counted
            if weight is not None:
                share = share * weight
            # An ignored pixel may have an infinite loss, and 0 times it is no number.
            losses = torch.where(valid, self.pixel_losses(logits, labels), 0)
            tiny = torch.finfo(logits.dtype).tiny
            return self.loss_weight * (losses * share).sum() / counted.sum().clamp(min=tiny)

    def _weights(self, classes: int) -> Tensor | None:
        if self.awaits_class_weight:
            raise UserError(
                f"{self._me}: class_weight='auto' was not derived from the data yet: put "
                "dict(type='ClassWeightHook') into custom_hooks, as default_runtime.py does"
            )
        if self.class_weight is not None and len(self.class_weight) != classes:
            raise UserError(
                f'{self._me}: class_weight has {len(self.class_weight)} numbers for {classes} '
                'classes: give one a class'
            )
        return self.class_weight
