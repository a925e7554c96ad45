from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmseg_custom.hooks import SWAHook
from mmseg_custom.utils import UserError


@pytest.mark.parametrize(('begin', 'first'), [(0.75, 9), (0.5, 6), (0.0, 0)])
def test_weights_and_statistics_are_the_mean_over_the_end(begin, first):
    model = nn.BatchNorm1d(2)
    hook = SWAHook(begin)
    runner = SimpleNamespace(model=model, max_iters=12, iter=0)
    hook.before_run(runner)
    hook.before_train(runner)
    weights, means = [], []
    for runner.iter in range(12):
        with torch.no_grad():
            model.weight.normal_(generator=torch.Generator().manual_seed(runner.iter))
            model.running_mean.fill_(runner.iter**2)
        weights.append(model.weight.detach().clone())
        means.append(float(runner.iter**2))
        hook.after_train_iter(runner, runner.iter)
    averaged = hook.ema_model.module
    torch.testing.assert_close(averaged.weight.data, torch.stack(weights[first:]).mean(0))
    mean = sum(means[first:]) / len(means[first:])
    assert averaged.running_mean.tolist() == pytest.approx([mean, mean])


@pytest.mark.parametrize('begin', [-0.1, 1, 30000])
def test_begin_is_a_fraction(begin):
    with pytest.raises(UserError, match='begin .* is not in'):
        SWAHook(begin)
