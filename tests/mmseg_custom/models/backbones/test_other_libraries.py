"""Models of timm, segmentation_models_pytorch and transformers inside of MMSegmentation."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.registry import MODELS

from mmseg_custom.models.backbones import HFModel, SMPModel, TimmFeatures
from mmseg_custom.models.backbones.hf_model import query_logits
from mmseg_custom.utils import UserError


def whole(backbone, **more):
    loss = dict(type='CrossEntropyLoss', avg_non_ignore=True)
    head = dict(type='LogitsHead', num_classes=5, align_corners=False, loss_decode=loss)
    model = dict(type='EncoderDecoder', backbone=backbone, decode_head=head, train_cfg={}, **more)
    return MODELS.build(ConfigDict(model))


SMP = dict(type='SMPModel', arch='unet', encoder='resnet18', num_classes=5, pretrained=None)
HF_CONFIG = dict(hidden_sizes=[8, 16, 32, 64], depths=[1] * 4, decoder_hidden_size=16)
HF = dict(
    type='HFModel',
    architecture='SegformerForSemanticSegmentation',
    num_classes=5,
    config=HF_CONFIG,
)


@torch.no_grad()
@pytest.mark.parametrize('backbone', [SMP, HF])
def test_logits_are_the_librarys(backbone):
    model = whole(backbone, test_cfg=dict(mode='whole')).eval()
    x = torch.randn(2, 3, 64, 96)
    theirs = model.backbone.model(x)
    theirs = getattr(theirs, 'logits', theirs)
    assert torch.equal(model(x, mode='tensor'), theirs)
    whole_logits = model.encode_decode(x, [dict(img_shape=(64, 96))] * 2)
    expected = torch.nn.functional.interpolate(theirs, (64, 96), mode='bilinear')
    assert torch.allclose(whole_logits, expected, atol=1e-5)


@torch.no_grad()
def test_sliding_windows_of_the_photos_size_are_the_whole():
    slide = dict(mode='slide', crop_size=(64, 64), stride=(64, 64))
    model = whole(SMP, test_cfg=slide).eval()
    x = torch.randn(1, 3, 64, 64)
    meta = [dict(img_shape=(64, 64), ori_shape=(64, 64), pad_shape=(64, 64))]
    assert torch.allclose(model.inference(x, meta), model.backbone.model(x), atol=1e-5)
    wide = torch.cat([x, x], dim=3)
    meta = [dict(img_shape=(64, 128), ori_shape=(64, 128), pad_shape=(64, 128))]
    left = model.inference(wide, meta)[..., :64]
    assert torch.allclose(left, model.backbone.model(x), atol=1e-5)


def test_weights_survive_saving_and_loading():
    for backbone in (SMP, HF):
        first, second = (whole(backbone, test_cfg=dict(mode='whole')).eval() for _ in range(2))
        second.load_state_dict(first.state_dict())
        x = torch.randn(1, 3, 32, 32)
        with torch.no_grad():
            assert torch.equal(first(x, mode='tensor'), second(x, mode='tensor'))


def test_frozen_features_stay_as_they_are():
    timm = pytest.importorskip('timm')
    backbone = TimmFeatures('resnet18', pretrained=None, out_indices=(1, 2), frozen=True).train()
    reference = timm.create_model('resnet18', features_only=True, out_indices=(1, 2)).eval()
    reference.load_state_dict(backbone.features.state_dict())
    x = torch.randn(4, 3, 64, 64)
    for ours, theirs in zip(backbone(x), reference(x), strict=True):
        assert torch.equal(ours, theirs)
    assert not any(p.requires_grad for p in backbone.parameters())
    assert backbone.training
    assert not backbone.features.training


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: SMPModel('unet', 'resnet0', 5), 'unet with resnet0'),
        (lambda: SMPModel('umet', 'resnet18', 5), 'umet with resnet18'),
        (lambda: HFModel('BertModel', 5), 'no …ForSemanticSegmentation'),
        (lambda: HFModel('NoneForSemanticSegmentation', 5), 'no …ForSemanticSegmentation'),
    ],
)
def test_unknown_names_are_told(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_weights_that_cannot_be_fetched_say_what_to_do(monkeypatch):
    import huggingface_hub.constants
    import timm
    from segmentation_models_pytorch import encoders

    monkeypatch.setattr(huggingface_hub.constants, 'HF_HUB_OFFLINE', True)
    hf = HFModel('SegformerForSemanticSegmentation', 5, HF_CONFIG, pretrained='no/such-weights')
    with pytest.raises(UserError, match=r'no/such-weights cannot be fetched'):
        hf.init_weights()

    def offline(*args, **kwargs):
        raise OSError('no network')

    smp = SMPModel('unet', 'resnet18', 5)
    monkeypatch.setattr(encoders, 'get_encoder', offline)
    with pytest.raises(UserError, match=r'imagenet of resnet18 cannot be fetched \(no network\)'):
        smp.init_weights()
    features = TimmFeatures('resnet18')
    monkeypatch.setattr(timm, 'create_model', offline)
    with pytest.raises(UserError, match=r'timm, resnet18, cannot be fetched \(no network\)'):
        features.init_weights()


def test_missing_packages_are_told(monkeypatch):
    import sys

    for package in ('timm', 'segmentation_models_pytorch', 'transformers'):
        monkeypatch.setitem(sys.modules, package, None)
    for make in (
        lambda: TimmFeatures('resnet18'),
        lambda: SMPModel('unet', 'resnet18', 5),
        lambda: HFModel('SegformerForSemanticSegmentation', 5),
    ):
        with pytest.raises(UserError, match=r'pip install -e "\.\[zoo\]"'):
            make()


def test_votes_of_queries_are_summed_pixel_by_pixel():
    torch.manual_seed(0)
    classes, masks = torch.randn(2, 3, 5), torch.randn(2, 3, 4, 6)
    shares = query_logits(classes, masks).exp()
    for photo, row, column, label in ((0, 0, 0, 0), (1, 3, 5, 3), (0, 2, 1, 2)):
        expected = sum(
            classes[photo, query].softmax(0)[label] * masks[photo, query, row, column].sigmoid()
            for query in range(3)
        )
        assert shares[photo, label, row, column] == pytest.approx(expected.item(), rel=1e-5)
