import copy
from math import sqrt

import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmseg.registry import OPTIMIZERS
from torch import nn

from mmseg_custom.optim import RectifiedAdam
from mmseg_custom.utils import UserError


def algorithm_2(theta, gradients, lr, betas, decay, degenerated_to_sgd, eps=1e-8):
    """Liu et al. 2020 in float64, with the authors' weight decay and threshold; every iterate."""
    beta1, beta2 = betas
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    rho_inf = 2 / (1 - beta2) - 1
    path = []
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        if rho >= 5:
            r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            adapted = sqrt(1 - beta2**t) / (np.sqrt(v) + eps)
            theta = theta - lr * decay * theta - lr * r * m_hat * adapted
        elif degenerated_to_sgd:
            theta = theta - lr * decay * theta - lr * m_hat
        path.append(theta)
    return path


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def walk(optimizer, parameter, gradients):
    path = []
    for gradient in gradients:
        parameter.grad = torch.from_numpy(gradient).to(parameter.dtype)
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return path


@pytest.mark.parametrize('sgd', [False, True])
@pytest.mark.parametrize('decay', [0.0, 0.01])
@pytest.mark.parametrize('betas', [(0.9, 0.999), (0.95, 0.98), (0.0, 0.9)])
def test_two_hundred_steps_are_those_of_the_paper(sgd, decay, betas):
    start, gradients = numbers(7, seed=1), numbers(200, 7) * 10.0 ** np.arange(-3, 4)
    parameter = nn.Parameter(torch.from_numpy(start.copy()))
    options = dict(lr=0.05, betas=betas, weight_decay=decay, degenerated_to_sgd=sgd)
    ours = walk(RectifiedAdam([parameter], **options), parameter, gradients)
    theirs = algorithm_2(start, gradients, 0.05, betas, decay, sgd)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_nothing_moves_before_the_variance_is_trusted():
    parameter = nn.Parameter(torch.ones(3))
    optimizer = RectifiedAdam([parameter], lr=1.0, weight_decay=0.1)
    path = walk(optimizer, parameter, numbers(7, 3))
    assert all((weights == 1).all() for weights in path[:5])
    assert not (path[5] == 1).any()


def test_each_parameter_counts_its_own_steps():
    early, late = (nn.Parameter(torch.ones(3, dtype=torch.float64)) for _ in range(2))
    optimizer = RectifiedAdam([early, late], lr=0.1)
    walk(optimizer, early, numbers(9, 3))
    gradients = numbers(9, 3, seed=4)
    early.grad = None
    path = walk(optimizer, late, gradients)
    np.testing.assert_allclose(
        path, algorithm_2(np.ones(3), gradients, 0.1, (0.9, 0.999), 0, False), rtol=1e-12
    )


def test_one_kernel_for_all_and_one_for_each_give_the_same():
    starts = [numbers(*shape) for shape in [(3,), (2, 5), (1, 4, 2)]]
    results = []
    for foreach in (False, True):
        parameters = [nn.Parameter(torch.from_numpy(start.copy())) for start in starts]
        optimizer = RectifiedAdam(parameters, lr=0.1, weight_decay=0.05, foreach=foreach)
        for seed in range(12):
            for parameter in parameters:
                parameter.grad = torch.from_numpy(numbers(*parameter.shape, seed=seed))
            optimizer.step()
        results.append(parameters)
    for one, all_at_once in zip(*results, strict=True):
        torch.testing.assert_close(one, all_at_once, rtol=1e-12, atol=0)


@pytest.mark.parametrize('stop', [3, 8])
def test_a_stopped_walk_goes_on_exactly(stop):
    gradients = numbers(12, 3)
    parameter = nn.Parameter(torch.ones(3))
    optimizer = RectifiedAdam([parameter], lr=0.1, weight_decay=0.1)
    walk(optimizer, parameter, gradients[:stop])
    state = copy.deepcopy(optimizer.state_dict())
    again = nn.Parameter(parameter.detach().clone())
    resumed = RectifiedAdam([again], lr=7.0)
    resumed.load_state_dict(state)
    whole = walk(optimizer, parameter, gradients[stop:])
    np.testing.assert_array_equal(walk(resumed, again, gradients[stop:]), whole)


def test_it_is_built_from_a_config_with_rules_for_parameters():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    optimizer = dict(type='RectifiedAdam', lr=0.2, betas=[0.9, 0.99], weight_decay=0.1)
    rules = dict(norm_decay_mult=0.0, bias_lr_mult=2.0)
    wrapper = build_optim_wrapper(model, dict(optimizer=optimizer, paramwise_cfg=rules))
    assert type(wrapper.optimizer) is RectifiedAdam
    rates = [(g['lr'], g['weight_decay']) for g in wrapper.optimizer.param_groups]
    assert rates == [(0.2, 0.1), (0.4, 0.1), (0.2, 0.0), (0.2, 0.0)]


def regression(dtype, scaler, bad_step):
    """Train 60 steps; in one of them the gradient overflows."""
    torch.manual_seed(0)
    model, inputs = nn.Linear(4, 1), torch.randn(64, 4)
    optimizer = RectifiedAdam(model.parameters(), lr=0.5)
    for step in range(60):
        optimizer.zero_grad()
        with torch.autocast('cpu', dtype, enabled=dtype != torch.float32):
            loss = nn.functional.mse_loss(model(inputs).float(), inputs.sum(1, keepdim=True))
        scaler.scale(loss).backward()
        if step == bad_step:
            model.weight.grad[0, 0] = torch.inf
        scaler.step(optimizer)
        scaler.update()
    return model.weight.detach(), optimizer.state[model.weight]['step'].item()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_with_a_gradient_scaler(dtype):
    options = dict(init_scale=128.0)
    halved, steps = regression(dtype, torch.amp.GradScaler('cpu', **options), bad_step=20)
    plain, plain_steps = regression(torch.float32, torch.amp.GradScaler('cpu', **options), 20)
    assert steps == plain_steps == 59
    torch.testing.assert_close(halved, plain, atol=0.02, rtol=0)
    torch.testing.assert_close(halved, torch.ones(1, 4), atol=0.2, rtol=0)


def test_a_closure_is_called_once_with_gradients_on():
    parameter = nn.Parameter(torch.ones(1))
    optimizer = OPTIMIZERS.build(
        dict(type='RectifiedAdam', params=[parameter], lr=0.1, degenerated_to_sgd=True)
    )
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    assert optimizer.step(closure).item() == 1.0
    assert calls == [1.0]
    torch.testing.assert_close(parameter.detach(), torch.tensor([0.8]))


def test_a_beta2_that_would_never_let_a_weight_move_is_refused():
    parameter = nn.Parameter(torch.ones(1))
    with pytest.raises(UserError, match='beta2 = 0.6 the variance is never trusted'):
        RectifiedAdam([parameter], betas=(0.9, 0.6))
    RectifiedAdam([parameter], betas=(0.9, 0.6), degenerated_to_sgd=True)
    with pytest.raises(ValueError, match='Invalid learning rate'):
        RectifiedAdam([parameter], lr=-1.0)
