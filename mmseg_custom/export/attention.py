"""Attention in a form that can be traced for any number of queries."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ExportableAttention(nn.Module):
    """Does what ``nn.MultiheadAttention`` does with a plain query, key and value.

    The exporter keeps the number of queries of the example in the original's reshapes.

    Args:
        original: In evaluation; shares its weights.
    """

    def __init__(self, original: nn.MultiheadAttention):
        super().__init__()
        self.num_heads, self.batch_first = original.num_heads, original.batch_first
        self.weight, self.bias = original.in_proj_weight, original.in_proj_bias
        self.out_proj = original.out_proj

    @staticmethod
    def fits(original: nn.MultiheadAttention) -> bool:
        """Return whether nothing of the original is left out."""
        is_joint = original.in_proj_weight is not None
        return is_joint and original.bias_k is None and not original.add_zero_attn

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Attend.

        Args:
            query: ``(L, N, C)``, or ``(N, L, C)`` if ``batch_first``.
            key: ``(S, N, C)`` or ``(N, S, C)``.
            value: As ``key``.
            key_padding_mask: ``(N, S)`` bool, True where a key is left out; or None.
            need_weights: Ignored.
            attn_mask: ``(L, S)`` or ``(N * heads, L, S)``, bool, True where a query does not attend
                to a key, or float, which is added; or None.

        Returns:
            tuple[Tensor, None]: In the query's form; the original's weights are not computed.
        """
        inputs = [query, key, value]
        if not self.batch_first:
            inputs = [x.transpose(0, 1) for x in inputs]
        biases = (None,) * 3 if self.bias is None else self.bias.chunk(3)
        projected = map(F.linear, inputs, self.weight.chunk(3), biases)
        q, k, v = map(self._split, projected)
        mask = self._mask(attn_mask, key_padding_mask, q)
        x = F.scaled_dot_product_attention(q, k, v, mask)
        x = self.out_proj(x.transpose(1, 2).flatten(2))
        return (x if self.batch_first else x.transpose(0, 1)), None

    def _mask(self, attention: Tensor | None, padding: Tensor | None, q: Tensor) -> Tensor | None:
        """Return what is added to the products of queries ``(N, heads, L, C)`` and keys."""
        if attention is not None and attention.dim() > 2:
            attention = attention.unflatten(0, (-1, self.num_heads))
        if padding is not None:
            padding = padding[:, None, None]
        masks = [_added(mask, q) for mask in (attention, padding) if mask is not None]
        return sum(masks[1:], masks[0]) if masks else None

    def _split(self, x: Tensor) -> Tensor:
        """Bring ``(N, L, C)`` to ``(N, heads, L, C / heads)``."""
        return x.unflatten(2, (self.num_heads, -1)).transpose(1, 2)


def _added(mask: Tensor, like: Tensor) -> Tensor:
    """Return a mask as numbers to add: minus infinity where a bool one is True."""
    if mask.dtype != torch.bool:
        return mask
    # Not zeros_like: a trace keeps the example's.
    return torch.where(mask, like.new_tensor(float('-inf')), like.new_tensor(0.0))
