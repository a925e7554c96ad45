"""Class weights, precision and ignored pixels: what all losses of this package have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_custom.coco.stats.class_weights import class_weights
from mmseg_custom.utils import UserError

from .full_precision import full_precision

AUTO = 'auto'


class ClassWeightedLoss(nn.Module, ABC):
    """A loss of logits against labels, with a weight for each class.

    Computed in float32 (or float64 where the logits are) also under autocast. Labels of ignored
    pixels do not count; with every pixel ignored the loss and its gradient are 0.

    Args:
        loss_weight: Factor of the result.
        class_weight: One number per class; ``'auto'``: from the pixels of the training set, counted
            by :class:`~mmseg_custom.hooks.ClassWeightHook` before the training begins; None: all
            equal.
        weight_method: For ``'auto'``: ``inverse``, ``median``, ``enet`` or ``effective``, see
            :func:`mmseg_custom.coco.stats.class_weights.class_weights`.
        max_weight: For ``'auto'``: upper limit of the weights.
        loss_name: Name in the log; begins with ``loss_``.

    Raises:
        UserError: Wrong options.
    """

    default_name = 'loss_weighted'

    def __init__(
        self,
        loss_weight: float = 1.0,
        class_weight: Sequence[float] | str | None = None,
        weight_method: str = 'median',
        max_weight: float = 5.0,
        loss_name: str | None = None,
    ):
        super().__init__()
        self.loss_weight = loss_weight
        self.weight_method = weight_method
        self.max_weight = max_weight
        self.loss_name = loss_name or self.default_name
        # Finds the mistake now, not after the set was painted.
        class_weights(np.ones(2), weight_method, max_weight=max_weight)
        if isinstance(class_weight, str) and class_weight != AUTO:
            raise UserError(f'{self._me}: class_weight {class_weight!r}: give numbers or {AUTO!r}')
        self.awaits_class_weight = class_weight == AUTO
        # No buffer: it follows from the data or the config, and averages of models, which pair
        # their buffers by place, are made before it is known.
        self.class_weight: Tensor | None = None
        if class_weight is not None and not isinstance(class_weight, str):
            self._set(class_weight)

    @property
    def _me(self) -> str:
        return type(self).__name__

    def _set(self, weights: Sequence[float] | np.ndarray) -> None:
        tensor = torch.as_tensor(np.asarray(weights, np.float64), dtype=torch.float32)
        if tensor.ndim != 1 or not (torch.isfinite(tensor) & (tensor >= 0)).all():
            raise UserError(f'{self._me}: class_weight {weights}: give a number >= 0 per class')
        self.class_weight = tensor

    def set_class_weight(self, pixel_counts: np.ndarray) -> None:
        """Derive the weights of ``class_weight='auto'`` from the data.

        Args:
            pixel_counts: ``(images, C)`` pixels of the training set.
        """
        self._set(class_weights(pixel_counts, self.weight_method, max_weight=self.max_weight))
        self.awaits_class_weight = False

    @abstractmethod
    def compute(
        self,
        logits: Tensor,
        labels: Tensor,
        valid: Tensor,
        class_weight: Tensor | None,
        weight: Tensor | None,
    ) -> Tensor:
        """Return the loss before ``loss_weight``, a scalar.

        Args:
            logits: ``(N, C, H, W)`` float32 or float64.
            labels: ``(N, H, W)`` int64 in 0..C-1, 0 at ignored pixels.
            valid: ``(N, H, W)`` bool, False at ignored pixels.
            class_weight: ``(C,)`` of the type of ``logits``, or None.
            weight: ``(N, H, W)`` factor of each pixel's loss, or None.
        """

    def forward(
        self,
        seg_logit: Tensor,
        seg_label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        **kwargs,
    ) -> Tensor:
        """Compute the loss as mmseg's decode heads call it.

        Args:
            seg_logit: ``(N, C, H, W)`` logits of any float type.
            seg_label: ``(N, H, W)`` int64 labels.
            weight: ``(N, H, W)`` factor of each pixel's loss, or None.
            ignore_index: Pixels of this label do not count.
            **kwargs: Not used.

        Returns:
            Tensor: A scalar.

        Raises:
            UserError: ``class_weight`` has another number of classes or is not known yet, or the
                loss has no pixels to weigh.
        """
        with full_precision(seg_logit) as logits:
            valid = seg_label != ignore_index
            labels = torch.where(valid, seg_label, 0)
            return self.loss_weight * self.compute(
                logits, labels, valid, self._weights(logits), weight
            )

    def _weights(self, logits: Tensor) -> Tensor | None:
        if self.awaits_class_weight:
            raise UserError(
                f"{self._me}: class_weight='auto' was not derived from the data yet: put "
                "dict(type='ClassWeightHook') into custom_hooks, as default_runtime.py does"
            )
        if self.class_weight is None:
            return None
        if len(self.class_weight) != logits.shape[1]:
            raise UserError(
                f'{self._me}: class_weight has {len(self.class_weight)} numbers for '
                f'{logits.shape[1]} classes: give one per class'
            )
        return self.class_weight.to(logits)
