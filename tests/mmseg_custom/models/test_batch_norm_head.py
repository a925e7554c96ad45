"""DINOv2's linear evaluation: normalized features, BatchNorm, one linear layer."""

import pytest
import torch
from mmseg.registry import MODELS
from torch import nn

timm = pytest.importorskip('timm')
TINY = dict(embed_dim=32, depth=4, num_heads=2)


@pytest.mark.parametrize(
    ('name', 'side'),
    [
        ('vit_small_patch14_dinov2', 56),
        ('vit_small_patch14_reg4_dinov2', 56),
        ('vit_small_patch16_dinov3', 64),
    ],
)
@torch.no_grad()
def test_features_are_normalized_as_dinov2_does(name, side):
    options = dict(TINY, dynamic_img_size=True)
    backbone = MODELS.build(
        dict(type='TimmFeatures', model_name=name, pretrained=False, out_indices=(1, 3))
        | dict(final_norm=True, **options)
    ).eval()
    peer = timm.create_model(name, num_classes=0, **options).eval()
    for parameter in peer.parameters():
        nn.init.normal_(parameter, std=0.3)
    backbone.features.model.load_state_dict(peer.state_dict(), strict=False)
    x = torch.randn(2, 3, side, side)
    expected = peer.forward_intermediates(x, indices=[1, 3], norm=True, intermediates_only=True)
    for ours, theirs in zip(backbone(x), expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_head_is_batch_norm_and_a_linear_layer():
    head = MODELS.build(
        dict(type='BatchNormHead', in_channels=8, in_index=0, channels=8, num_classes=3)
        | dict(dropout_ratio=0, align_corners=False)
        | dict(loss_decode=dict(type='WeightedCrossEntropyLoss'))
    ).train()
    x = 100 * torch.randn(4, 8, 5, 6) + 50
    mean, deviation = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), correction=0, keepdim=True)
    weight, bias = head.conv_seg.weight[:, :, 0, 0], head.conv_seg.bias
    expected = torch.einsum('nchw,kc->nkhw', (x - mean) / deviation, weight)
    assert torch.allclose(head([x]), expected + bias[:, None, None], atol=1e-4)
