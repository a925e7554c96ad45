"""UNet++'s head gives what segmentation_models_pytorch's decoder gives."""

import pytest
import torch
from mmseg.registry import MODELS

smp = pytest.importorskip('segmentation_models_pytorch')


@torch.no_grad()
def test_the_head_is_the_librarys_decoder():
    channels = (64, 64, 32, 16)
    peer = smp.UnetPlusPlus(
        'resnet18', encoder_weights=None, encoder_depth=4, decoder_channels=channels, classes=5
    ).eval()
    features = peer.encoder(torch.randn(2, 3, 64, 96))
    head = MODELS.build(
        dict(
            type='UNetPlusPlusHead',
            in_channels=[f.shape[1] for f in features[1:]],
            in_index=[0, 1, 2, 3],
            decoder_channels=channels,
            num_classes=5,
            norm_cfg=dict(type='BN'),
            align_corners=False,
            loss_decode=dict(type='WeightedCrossEntropyLoss'),
        )
    ).eval()
    head.decoder.load_state_dict(peer.decoder.state_dict())
    expected = head.cls_seg(peer.decoder(features))
    assert torch.equal(head(features[1:]), expected)
    assert expected.shape == (2, 5, 64, 96)
