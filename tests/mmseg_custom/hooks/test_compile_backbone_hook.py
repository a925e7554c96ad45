import logging
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmseg_custom.hooks import CompileBackboneHook


@pytest.mark.slow
@pytest.mark.parametrize('wrapped', [False, True])
def test_the_backbone_runs_compiled_and_keeps_its_names(wrapped):
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    model = nn.Module()
    model.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    names, image = list(model.state_dict()), torch.randn(1, 3, 8, 8)
    expected = model.backbone(image)
    outer = model
    if wrapped:
        from mmengine.model import MMDistributedDataParallel

        outer = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
        nn.Module.__init__(outer)
        outer.module = model
    runner = SimpleNamespace(model=outer, logger=logging.getLogger('test'))
    CompileBackboneHook(backend=backend).before_train(runner)
    torch.testing.assert_close(model.backbone(image), expected)
    assert len(graphs) == 1
    assert list(model.state_dict()) == names
