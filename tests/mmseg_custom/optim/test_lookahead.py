import copy

import pytest
import torch
from mmengine.optim import OptimWrapper, PolyLR, build_optim_wrapper
from mmseg.registry import OPTIMIZERS
from torch import nn

from mmseg_custom.optim import Lookahead
from mmseg_custom.utils import UserError


def gradient(step, parameter):
    """Some gradient that depends on where the weights are."""
    generator = torch.Generator().manual_seed(step)
    return parameter.detach() * 0.3 + torch.randn(parameter.shape, generator=generator).double()


def walk(optimizer, parameter, steps):
    path = []
    for step in steps:
        parameter.grad = gradient(step, parameter)
        optimizer.step()
        path.append(parameter.detach().clone())
    return torch.stack(path)


def weights(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return nn.Parameter(torch.randn(5, generator=generator, dtype=torch.float64))


def naive(base, parameter, steps, alpha, k, **options):
    """Algorithm 1 of Zhang et al. 2019, with an inner optimizer that keeps its state."""
    inner = base([parameter], **options)
    slow = parameter.detach().clone()
    path = []
    for start in range(0, steps, k):
        for step in range(start, min(start + k, steps)):
            parameter.grad = gradient(step, parameter)
            inner.step()
            path.append(parameter.detach().clone())
        if len(path) % k == 0:
            slow = slow + alpha * (parameter.detach() - slow)
            with torch.no_grad():
                parameter.copy_(slow)
            path[-1] = slow
    return torch.stack(path)


@pytest.mark.parametrize(
    ('base', 'options'),
    [
        ('SGD', dict(lr=0.1, momentum=0.9)),
        ('AdamW', dict(lr=0.05, weight_decay=0.1)),
        ('RectifiedAdam', dict(lr=0.05)),
    ],
)
@pytest.mark.parametrize(('alpha', 'k'), [(0.5, 5), (0.8, 6), (0.5, 1), (1.0, 3)])
def test_the_steps_are_those_of_the_paper(base, options, alpha, k):
    ours, theirs = weights(), weights()
    optimizer = Lookahead([ours], base=base, alpha=alpha, k=k, **options)
    path = walk(optimizer, ours, range(23))
    torch.testing.assert_close(
        path, naive(OPTIMIZERS.get(base), theirs, 23, alpha, k, **options), rtol=1e-11, atol=1e-13
    )


def test_the_slow_weights_begin_with_those_loaded_after_it_was_built():
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = Lookahead([parameter], base='SGD', alpha=0.5, k=2, lr=1.0)
    with torch.no_grad():
        parameter.fill_(100.0)
    for _ in range(2):
        parameter.grad = torch.ones(2)
        optimizer.step()
    assert parameter.tolist() == [99.0, 99.0]


@pytest.mark.parametrize('stop', [4, 5, 13])
def test_a_stopped_walk_goes_on_exactly(stop):
    parameter = weights()
    options = dict(base='AdamW', k=5, lr=0.1)
    optimizer = Lookahead([parameter], **options)
    walk(optimizer, parameter, range(stop))
    state = copy.deepcopy(optimizer.state_dict())
    again = nn.Parameter(parameter.detach().clone())
    resumed = Lookahead([again], **options)
    resumed.load_state_dict(state)
    steps = range(stop, 25)
    assert torch.equal(walk(resumed, again, steps), walk(optimizer, parameter, steps))


@pytest.mark.parametrize('resume', [False, True])
def test_a_schedule_reaches_the_base_optimizer(resume):
    parameter = nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(Lookahead([parameter], base='SGD', lr=1.0, k=100))
    if resume:
        wrapper.load_state_dict(copy.deepcopy(wrapper.state_dict()))
    schedule = PolyLR(wrapper, eta_min=0.0, power=1.0, begin=0, end=5, by_epoch=False)
    places = []
    for _ in range(4):
        wrapper.update_params(parameter.sum())
        schedule.step()
        places.append(parameter.item())
    assert places == pytest.approx([-1.0, -1.75, -2.25, -2.5])


def test_it_is_built_over_a_recipe_with_rules_for_parameters():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    optimizer = dict(type='Lookahead', base='AdamW', lr=0.2, weight_decay=0.1)
    rules = dict(norm_decay_mult=0.0, bias_lr_mult=2.0)
    wrapper = build_optim_wrapper(model, dict(optimizer=optimizer, paramwise_cfg=rules))
    rates = [(g['lr'], g['weight_decay']) for g in wrapper.optimizer.base.param_groups]
    assert rates == [(0.2, 0.1), (0.4, 0.1), (0.2, 0.0), (0.2, 0.0)]
    assert wrapper.param_groups[-1]['lr'] == 0.2


def test_a_step_that_the_gradient_scaler_skips_is_not_counted():
    parameter = nn.Parameter(torch.full((1,), 8.0))
    optimizer = Lookahead([parameter], base='SGD', lr=1.0, alpha=0.5, k=2)
    scaler = torch.amp.GradScaler('cpu', init_scale=4.0)
    places = []
    for scale in (1.0, torch.inf, 1.0):
        optimizer.zero_grad()
        scaler.scale(parameter.sum() * scale).backward()
        scaler.step(optimizer)
        scaler.update()
        places.append(parameter.item())
    assert places == [7.0, 7.0, 7.0]
    assert optimizer.param_groups[0]['lookahead_steps'] == 2


def test_mistakes_are_told():
    parameter = nn.Parameter(torch.zeros(1))
    with pytest.raises(UserError, match=r'alpha 0 is not in \(0, 1\]'):
        Lookahead([parameter], base='SGD', alpha=0, lr=1.0)
    with pytest.raises(UserError, match='k 0 is not at least 1'):
        Lookahead([parameter], base='SGD', k=0, lr=1.0)
    state = torch.optim.SGD([parameter], lr=1.0).state_dict()
    with pytest.raises(UserError, match='was trained without Lookahead'):
        Lookahead([parameter], base='SGD', lr=1.0).load_state_dict(state)
