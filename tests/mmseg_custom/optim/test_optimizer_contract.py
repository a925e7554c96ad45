"""What PyTorch's own tests ask of every optimizer: copies, pickles, resumed states, step hooks."""

import copy
import io
import pickle

import pytest
import torch
from mmseg.registry import OPTIMIZERS
from torch import nn
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

CONFIGS = {
    'radam': dict(type='RectifiedAdam', lr=0.05, weight_decay=0.1),
    'radam_sgd': dict(type='RectifiedAdam', lr=0.05, degenerated_to_sgd=True),
    'lookahead_adamw': dict(type='Lookahead', base='AdamW', k=3, alpha=0.7, lr=0.05),
    'lookahead_radam': dict(
        type='Lookahead', base='RectifiedAdam', k=3, lr=0.05, degenerated_to_sgd=True
    ),
    'lookahead_rmsprop': dict(type='Lookahead', base='RMSprop', k=2, alpha=0.7, lr=0.05),
}
# A group with values of its own, none of them the default.
OWN = {
    'radam': dict(degenerated_to_sgd=True),
    'radam_sgd': dict(degenerated_to_sgd=False),
    'lookahead_adamw': dict(lookahead_alpha=0.2, lookahead_k=4),
    'lookahead_radam': dict(lookahead_alpha=0.2, degenerated_to_sgd=False),
    'lookahead_rmsprop': dict(lookahead_alpha=0.9, alpha=0.5),
}


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


def through_torch_save(value):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def make(name):
    generator = torch.Generator().manual_seed(3)
    params = [nn.Parameter(torch.randn(4, generator=generator).double()) for _ in range(2)]
    groups = [dict(params=params[:1]), dict(params=params[1:], **OWN[name])]
    return OPTIMIZERS.build(dict(CONFIGS[name], params=groups))


def params_of(optimizer):
    return [param for group in optimizer.param_groups for param in group['params']]


def walk(optimizer, steps):
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for param in params_of(optimizer):
            param.grad = param.detach() * 0.3 + torch.randn(4, generator=generator).double()
        optimizer.step()
    return torch.stack([param.detach() for param in params_of(optimizer)])


@pytest.mark.parametrize('copied', [copy.deepcopy, through_pickle, through_torch_save])
@pytest.mark.parametrize('stop', [0, 4, 8])
@pytest.mark.parametrize('name', CONFIGS)
def test_a_copy_continues_exactly_and_on_its_own(name, stop, copied):
    uninterrupted = walk(make(name), range(14))
    optimizer = make(name)
    walk(optimizer, range(stop))
    twin = copied(optimizer)
    assert torch.equal(walk(twin, range(stop, 14)), uninterrupted)
    assert torch.equal(walk(optimizer, range(stop, 14)), uninterrupted)
    assert repr(twin) == repr(optimizer)


@pytest.mark.parametrize('stop', [1, 4, 8])
@pytest.mark.parametrize('name', CONFIGS)
def test_a_resumed_state_continues_exactly_with_the_options_it_was_made_with(name, stop):
    uninterrupted = walk(make(name), range(14))
    optimizer = make(name)
    walk(optimizer, range(stop))
    state = through_torch_save(optimizer.state_dict())
    groups = [dict(params=[nn.Parameter(param.detach().clone())]) for param in params_of(optimizer)]
    other = {k: v for k, v in CONFIGS[name].items() if k in ('type', 'base')}
    resumed = OPTIMIZERS.build(dict(other, params=groups, lr=7.0))
    resumed.load_state_dict(state)
    assert torch.equal(walk(resumed, range(stop, 14)), uninterrupted)


@pytest.mark.parametrize('name', CONFIGS)
def test_step_hooks_are_called_once(name):
    # PyTorch wraps the step of a class when the first of it is made, hence of the bases too.
    for base in (torch.optim.RAdam, torch.optim.AdamW, torch.optim.RMSprop):
        base([nn.Parameter(torch.zeros(1))])
    optimizer, calls = make(name), []
    handles = [
        register_optimizer_step_pre_hook(lambda *_: calls.append('global pre')),
        register_optimizer_step_post_hook(lambda *_: calls.append('global post')),
    ]
    optimizer.register_step_pre_hook(lambda *_: calls.append('pre'))
    optimizer.register_step_post_hook(lambda *_: calls.append('post'))
    try:
        walk(optimizer, range(2))
    finally:
        for handle in handles:
            handle.remove()
    assert calls == ['global pre', 'pre', 'post', 'global post'] * 2


@pytest.mark.parametrize('name', CONFIGS)
def test_a_checkpoint_of_an_earlier_version_gets_the_options_it_lacks(name):
    optimizer = make(name)
    walk(optimizer, range(3))
    state = copy.deepcopy(optimizer.state_dict())
    added = ('degenerated_to_sgd', 'lookahead_alpha', 'lookahead_k')
    for part in (state, state.get('base', state)):
        for group in part['param_groups']:
            for key in added:
                group.pop(key, None)
    optimizer.load_state_dict(state)
    assert torch.isfinite(walk(optimizer, range(3, 9))).all()
    given = CONFIGS[name]
    for group in optimizer.param_groups:
        assert group.get('degenerated_to_sgd') == (
            given.get('degenerated_to_sgd', False) if 'radam' in name else None
        )
        if 'lookahead' in name:
            found = group['lookahead_alpha'], group['lookahead_k']
            assert found == (given.get('alpha', 0.5), given['k'])
