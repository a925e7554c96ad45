import torch
from conftest import ROOT
from mmengine.config import Config
from mmseg.models.backbones.swin import ShiftWindowMSA
from mmseg.registry import MODELS
from torch import nn

from mmseg_custom.export import exportable


def test_the_copy_gives_the_same_and_the_model_is_left_alone():
    torch.manual_seed(0)
    config = Config.fromfile(str(ROOT / 'configs' / 'upernet_swin_toy.py'))
    model = MODELS.build(config.model).train()
    copy = exportable(model)
    kinds = (ShiftWindowMSA, nn.AdaptiveAvgPool2d)
    assert not any(isinstance(part, ShiftWindowMSA) for part in copy.modules())
    assert sum(isinstance(part, kinds) for part in model.modules()) == 5 + 4
    assert model.training
    x = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        expected = model.eval().decode_head(model.extract_feat(x))
        found = copy.decode_head(copy.extract_feat(x))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
