"""K-Net's kernel update in a form that can be traced for any number of photos."""

from typing import Any

import torch
from mmseg.models.decode_heads.knet_head import KernelUpdateHead
from torch import Tensor, nn


class ExportableKernelUpdateHead(nn.Module):
    """Does what mmseg's ``KernelUpdateHead`` does; shares its weights.

    The original convolves photo by photo in a loop, which a trace keeps as long as the example's
    batch. With kernels of one pixel the loop is one matrix product.

    Args:
        original: In evaluation.
    """

    def __init__(self, original: KernelUpdateHead):
        super().__init__()
        self.head: Any = original

    @staticmethod
    def fits(original: KernelUpdateHead) -> bool:
        """Return whether nothing of the original is left out."""
        strides = original.feat_gather_stride, original.mask_transform_stride
        return original.conv_kernel_size == 1 and strides == (1, 1)

    def forward(
        self, x: Tensor, proposal_feat: Tensor, mask_preds: Tensor, mask_shape: None = None
    ) -> tuple[Tensor, Tensor]:
        """Update the kernels, and apply them.

        Args:
            x: Features, ``(N, C, H, W)``.
            proposal_feat: Kernels, ``(N, P, C, 1, 1)``.
            mask_preds: Logits of the masks so far, ``(N, P, H, W)``.
            mask_shape: None, as ``IterativeDecodeHead`` leaves it.

        Returns:
            tuple[Tensor, Tensor]: The new ``mask_preds`` and ``proposal_feat``.
        """
        head = self.head
        x = x if head.feat_transform is None else head.feat_transform(x)
        n, masks = mask_preds.shape[0], proposal_feat.shape[1]
        gathered = torch.einsum('nphw,nchw->npc', mask_preds.softmax(dim=1), x)
        kernels = head.kernel_update_conv(gathered, proposal_feat.flatten(3).transpose(2, 3))
        kernels = kernels.reshape(n, masks, -1).transpose(0, 1)
        kernels = head.attention_norm(head.attention(kernels)).transpose(0, 1)
        kernels = head.ffn_norm(head.ffn(kernels)) if head.with_ffn else kernels
        found = kernels
        for layer in head.mask_fcs:
            found = layer(found)
        found = torch.einsum('npc,nchw->nphw', head.fc_mask(found), x)
        return found, kernels[..., None, None]
