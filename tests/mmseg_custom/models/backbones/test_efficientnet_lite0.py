import pytest
import torch
from mmseg.registry import MODELS

from mmseg_custom.models.backbones import EfficientNetLite0
from mmseg_custom.utils import UserError

pytest.importorskip('timm')


def build(**options):
    backbone = MODELS.build(dict(type='EfficientNetLite0', **options))
    backbone.init_weights()
    return backbone.eval()


@pytest.mark.slow
def test_without_weights_it_starts_at_random():
    first, second = build(pretrained=None), build(pretrained=True)
    name = 'timm_model.conv_stem.weight'
    assert not torch.equal(first.state_dict()[name], second.state_dict()[name])


def test_gradients_reach_every_weight():
    backbone = build(pretrained=False).train()
    sum(f.square().mean() for f in backbone(torch.randn(2, 3, 64, 64))).backward()
    assert all(p.grad is not None for p in backbone.parameters())


def test_frozen_stages_stay_as_they_are():
    backbone = build(pretrained=False, frozen_stages=2).train()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    optimizer = torch.optim.SGD(backbone.parameters(), lr=1.0)
    sum(f.square().mean() for f in backbone(torch.randn(2, 3, 64, 64))).backward()
    optimizer.step()
    changed = {
        name for name, value in backbone.state_dict().items() if (value != before[name]).any()
    }
    kept = [name for name in before if name not in changed]
    frozen = (
        'timm_model.conv_stem',
        'timm_model.bn1',
        'timm_model.blocks.0.',
        'timm_model.blocks.1.',
    )
    assert not [name for name in changed if name.startswith(frozen)]
    assert any(name.startswith(frozen) for name in kept)
    trained = [name for name, _ in backbone.named_parameters() if not name.startswith(frozen)]
    assert trained
    assert set(trained) <= changed


@pytest.mark.parametrize('name', ['EfficientNetLite0', 'EfficientNetLite2', 'PackagedMobileNetV2'])
def test_kept_statistics_change_no_weight_less(name):
    """All weights learn, and a training step sees the features that a prediction sees."""
    torch.manual_seed(0)
    options = dict(type=name, pretrained=False, norm_eval=True)
    backbone = MODELS.build(options).train()
    photos = 3 + 2 * torch.randn(2, 3, 64, 64)
    before = {key: value.clone() for key, value in backbone.named_buffers()}
    learned = backbone(photos)
    sum(feature.square().mean() for feature in learned).backward()
    assert all(weight.grad is not None for weight in backbone.parameters())
    assert all(torch.equal(value, before[key]) for key, value in backbone.named_buffers())
    for feature, predicted in zip(learned, backbone.eval()(photos), strict=True):
        assert torch.equal(feature, predicted)
    moving = MODELS.build(dict(options, norm_eval=False)).train()
    moving(photos)
    assert any(not torch.equal(value, before[key]) for key, value in moving.named_buffers())


def test_more_frozen_stages_than_there_are():
    with pytest.raises(UserError, match='frozen_stages=8: give a number from 0 to 7'):
        build(pretrained=False, frozen_stages=8)


@pytest.mark.parametrize('levels', [1, 3])
def test_fewer_levels_are_the_first_ones_of_all(levels):
    photo = torch.randn(1, 3, 64, 64)
    complete, first = build(pretrained=True), build(pretrained=True, levels=levels)
    found = first(photo)
    assert len(found) == levels
    for one, other in zip(found, complete(photo)[:levels], strict=True):
        assert torch.equal(one, other)
    size = [sum(p.numel() for p in each.parameters()) for each in (first, complete)]
    assert size[0] < size[1] / 3


@pytest.mark.parametrize('levels', [0, 5])
def test_levels_that_there_are_not(levels):
    with pytest.raises(UserError, match=f'levels={levels}: give a number from 1 to 4'):
        build(pretrained=False, levels=levels)


def test_missing_timm_is_named(monkeypatch):
    from mmseg.models.backbones import timm_backbone

    monkeypatch.setattr(timm_backbone, 'timm', None)
    with pytest.raises(UserError, match=r'timm is missing; install it: pip install'):
        EfficientNetLite0()
