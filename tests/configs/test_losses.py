"""Every named loss in a complete model: a finite value, gradients, also in half precision."""

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_custom.experiment.config import drop_pretrained
from mmseg_custom.experiment.named_parts import set_loss
from mmseg_custom.utils import UserError
from mmseg_custom.utils.shared import part_names

NAMES = part_names('losses')


def config(name='upernet_swin_toy'):
    return Config.fromfile(str(ROOT / 'configs' / f'{name}.py'))


def samples():
    for seed in range(2):
        torch.manual_seed(seed)
        sample = SegDataSample()
        sample.set_metainfo(dict(img_shape=(64, 64), ori_shape=(64, 64)))
        labels = torch.randint(0, 11, (1, 64, 64))
        labels[:, :8] = 255
        sample.gt_sem_seg = PixelData(data=labels)
        yield sample


@pytest.mark.parametrize('half', [False, True])
@pytest.mark.parametrize('name', NAMES)
def test_a_model_trains_with_it(name, half):
    cfg = config()
    set_loss(cfg, name)
    assert cfg.model.decode_head.loss_decode.loss_weight == 1.0
    assert cfg.model.auxiliary_head.loss_decode.loss_weight == 0.4
    model = MODELS.build(cfg.model).train()
    for module in model.modules():
        if getattr(module, 'awaits_class_weight', False):
            module.set_class_weight(torch.randint(1, 100, (5, 11)).numpy())
    torch.manual_seed(0)
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=half):
        losses = model.loss(torch.randn(2, 3, 64, 64), list(samples()))
    total = sum(value for key, value in losses.items() if 'loss' in key)
    assert len([key for key in losses if 'loss' in key]) == 2
    assert torch.isfinite(total)
    assert total > 0
    total.backward()
    gradient = model.decode_head.conv_seg.weight.grad
    assert torch.isfinite(gradient).all()
    assert gradient.any()


@pytest.mark.parametrize('name', ['upernet_swin_toy', 'laptop_efflite0_trash'])
def test_class_weights_by_cfg_options_train(name):
    """As ``--cfg-options model.decode_head.loss_decode.class_weight=[…]`` sets them."""
    cfg = config(name)
    weights = [1.0, *[2.0] * 10]
    cfg.merge_from_dict({'model.decode_head.loss_decode.class_weight': weights})
    drop_pretrained(cfg.model)
    model = MODELS.build(cfg.model).train()
    torch.manual_seed(0)
    inputs, labels = torch.randn(2, 3, 64, 64), list(samples())
    features = model.extract_feat(inputs)
    torch.manual_seed(1)  # the same dropout in both
    losses = model.decode_head.loss(features, labels, {})
    torch.manual_seed(1)
    logits = model.decode_head(features)
    logits = torch.nn.functional.interpolate(logits, (64, 64), mode='bilinear')
    truth = torch.cat([sample.gt_sem_seg.data for sample in labels])
    expected = torch.nn.functional.cross_entropy(
        logits, truth, weight=torch.tensor(weights), ignore_index=255
    )
    assert losses['loss_ce'].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_model_without_auxiliary_head_gets_none():
    cfg = config('laptop_efflite0_trash')
    set_loss(cfg, 'focal')
    assert cfg.model.decode_head.loss_decode.type == 'SoftmaxFocalLoss'
    assert 'auxiliary_head' not in cfg.model


def test_unknown_names_and_models_without_heads_are_told():
    with pytest.raises(UserError, match="'hinge' is none of the losses: ce, ce_dice"):
        set_loss(config(), 'hinge')
    headless = config()
    headless.model = dict(type='Whole')
    for cfg in (headless, config('mask2former_swin_trash')):
        with pytest.raises(UserError, match='a loss of its own'):
            set_loss(cfg, 'focal')
