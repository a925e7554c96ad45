import copy

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from products import TOY
from torch import nn

from mmseg_custom.experiment.named_parts import add_options
from mmseg_custom.models.segmentors.frozen_features import FrozenFeatures


class Backbone(nn.Module):
    """Two levels of features; counts the photos that it sees."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.seen = nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), 0

    def forward(self, inputs):
        self.seen += len(inputs)
        first = self.norm(self.conv(inputs))
        return first, first[..., ::2, ::2]


@pytest.fixture
def photos():
    return torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_features_are_the_backbones_and_computed_once(photos):
    backbone = Backbone()
    expected = copy.deepcopy(backbone).eval()(photos)
    features = FrozenFeatures(backbone)
    backbone.train()  # as MMEngine's loops do
    for order in ([0, 1, 2], [2, 0], [1, 1, 0]):
        for level, known in zip(features(photos[order]), expected, strict=True):
            torch.testing.assert_close(level, known[order])
            assert not level.requires_grad
    assert backbone.seen == 3
    assert backbone.norm.num_batches_tracked == 0


def test_what_does_not_fit_is_computed_each_time(photos, caplog):
    backbone = Backbone()
    one = sum(level[0].nbytes for level in backbone.eval()(photos))
    features = FrozenFeatures(backbone, max_bytes=one + 1)
    backbone.seen = 0
    first, second = features(photos), features(photos)
    assert backbone.seen == 3 + 2
    for level, again in zip(first, second, strict=True):
        torch.testing.assert_close(level, again)


def test_the_head_alone_learns(mmseg_scope):
    cfg = Config.fromfile(TOY)
    plain = MODELS.build(cfg.model).state_dict()
    add_options(cfg, ['frozen_features'])
    model = MODELS.build(cfg.model)
    assert model.state_dict().keys() == plain.keys()
    model.train()
    sum(level.sum() for level in model.extract_feat(torch.rand(2, 3, 64, 64)))
    learning = {name.split('.')[0] for name, p in model.named_parameters() if p.requires_grad}
    assert learning == {name.split('.')[0] for name in plain} - {'backbone'}
