import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn


@pytest.fixture
def model():
    parts = dict(backbone=nn.Linear(3, 4), norm=nn.BatchNorm1d(4), decode_head=nn.Linear(4, 2))
    net = nn.Sequential()
    for name, part in parts.items():
        net.add_module(name, part)
    net.backbone.requires_grad_(False)
    return net


@pytest.mark.parametrize(
    'kind',
    [dict(type='AdamW'), dict(type='RectifiedAdam'), dict(type='Lookahead', base='AdamW')],
    ids=str,
)
def test_steps_are_those_of_mmengines_groups(model, kind, mmseg_scope):
    config = dict(
        optimizer=dict(kind, lr=0.1, weight_decay=0.1),
        paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10.0)}, norm_decay_mult=0.0),
    )
    other = copy.deepcopy(model)
    joined = build_optim_wrapper(model, dict(config, constructor='LearningParametersConstructor'))
    plain = build_optim_wrapper(other, config)
    # The norm, the head, and what MMEngine adds to note the learning rate of the config.
    assert sorted(len(group['params']) for group in joined.param_groups) == [1, 2, 2]
    for step in range(12):
        inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        for net, wrapper in ((model, joined), (other, plain)):
            wrapper.update_params(net(inputs).square().mean())
    for (name, one), two in zip(model.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, msg=name)
