import copy
from math import cos, pi

import pytest
import torch
from mmengine.optim.scheduler.lr_scheduler import CosineRestartLR
from mmseg.registry import PARAM_SCHEDULERS
from torch import nn

from mmseg_custom.optim import CosineWarmupRestartLR
from mmseg_custom.utils import UserError


def optimizer(*rates):
    groups = [dict(params=[nn.Parameter(torch.zeros(1))], lr=rate) for rate in rates]
    return torch.optim.SGD(groups, lr=1.0)


def walk(schedule, steps):
    path = []
    for _ in range(steps):
        path.append([group['lr'] for group in schedule.optimizer.param_groups])
        schedule.optimizer.step()
        schedule.step()
    return path


def cycles(peak, floor, T_0, T_up, T_mult, gamma, steps):
    """Draw one cycle after the other."""
    path = []
    while len(path) < steps:
        path += [floor + (peak - floor) * t / T_up for t in range(T_up)]
        fall = T_0 - T_up
        path += [floor + (peak - floor) * (1 + cos(pi * t / fall)) / 2 for t in range(fall)]
        T_0, peak = T_up + fall * T_mult, peak * gamma
    return path[:steps]


@pytest.mark.parametrize(
    'options',
    [
        dict(T_0=10, T_up=3, T_mult=2, gamma=0.5),
        dict(T_0=10, T_up=9, T_mult=1, gamma=1.0),
        dict(T_0=7, T_up=0, T_mult=3, gamma=0.9),
        dict(T_0=1, T_up=0, T_mult=1, gamma=0.7),
    ],
)
@pytest.mark.parametrize('ratio', [0.0, 0.1])
def test_the_cycles_are_those_drawn_one_after_the_other(options, ratio):
    schedule = CosineWarmupRestartLR(
        optimizer(0.4, 0.02), **options, eta_min_ratio=ratio, by_epoch=False
    )
    path = walk(schedule, 80)
    for place, rate in enumerate((0.4, 0.02)):
        drawn = cycles(rate, rate * ratio, steps=80, **options)
        assert [step[place] for step in path] == pytest.approx(drawn, rel=1e-12, abs=1e-15)


def test_without_warm_up_it_is_mmengines():
    ours = CosineWarmupRestartLR(optimizer(0.4), T_0=6, gamma=0.5, by_epoch=False)
    theirs = CosineRestartLR(
        optimizer(0.4), periods=[6] * 4, restart_weights=[1, 0.5, 0.25, 0.125], eta_min=0.0,
        by_epoch=False,
    )  # fmt: skip
    for one, other in zip(walk(ours, 24), walk(theirs, 24), strict=True):
        assert one == pytest.approx(other, abs=1e-12)


def test_it_keeps_to_its_place_among_other_schedules():
    shared = optimizer(1.0)
    schedule = CosineWarmupRestartLR(shared, T_0=4, T_up=2, begin=3, end=9, by_epoch=False)
    path = [rate for (rate,) in walk(schedule, 12)]
    assert path == pytest.approx([1, 1, 1, 0, 0.5, 1, 0.5, 0, 0.5, 0.5, 0.5, 0.5])


def test_a_stopped_schedule_goes_on_exactly():
    options = dict(T_0=5, T_up=2, T_mult=2, gamma=0.5, by_epoch=False)
    whole = walk(CosineWarmupRestartLR(optimizer(0.3), **options), 40)
    stopped = CosineWarmupRestartLR(optimizer(0.3), **options)
    walk(stopped, 17)
    state = copy.deepcopy(stopped.state_dict())
    groups = copy.deepcopy(stopped.optimizer.state_dict())
    resumed = CosineWarmupRestartLR(optimizer(0.3), **options)
    resumed.optimizer.load_state_dict(groups)
    resumed.load_state_dict(state)
    assert walk(resumed, 23) == whole[17:]


@pytest.mark.parametrize('length', [1, 3, 7])
def test_converted_to_iterations_an_epoch_ends_where_it_did(length):
    """At the first iteration of each epoch the rate is that of the schedule in epochs."""
    options = dict(T_0=5, T_up=2, T_mult=2, gamma=0.5, eta_min_ratio=0.1, begin=1, end=20)
    epochs = walk(CosineWarmupRestartLR(optimizer(0.3), **options), 25)
    converted = PARAM_SCHEDULERS.build(
        dict(
            type='CosineWarmupRestartLR',
            convert_to_iter_based=True,
            epoch_length=length,
            by_epoch=True,
            **options,
        ),
        default_args=dict(optimizer=optimizer(0.3)),
    )
    assert not converted.by_epoch
    iterations = walk(converted, 25 * length)
    # A cycle is a line, then a cosine: between the epochs it is drawn from the same formula.
    for epoch in range(2, 20):
        assert iterations[epoch * length] == pytest.approx(epochs[epoch]), epoch
    drawn = cycles(0.3, 0.03, 5 * length, 2 * length, 2, 0.5, 18 * length)
    found = [rate for (rate,) in iterations[length : 19 * length]]
    assert found == pytest.approx(drawn)


def test_what_cannot_be_converted_is_refused():
    with pytest.raises(UserError, match='convert_to_iter_based needs by_epoch=True'):
        CosineWarmupRestartLR.build_iter_from_epoch(optimizer(1.0), T_0=4, by_epoch=False)
    with pytest.raises(UserError, match='epoch_length=None'):
        CosineWarmupRestartLR.build_iter_from_epoch(optimizer(1.0), T_0=4)


def test_it_is_built_as_a_runner_does():
    built = PARAM_SCHEDULERS.build(
        dict(type='CosineWarmupRestartLR', T_0=4, T_up=2, by_epoch=False, begin=0, end=9),
        default_args=dict(optimizer=optimizer(1.0)),
    )
    assert isinstance(built, CosineWarmupRestartLR)
    assert (built.begin, built.end, built.param_name) == (0, 9, 'lr')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(T_0=4, T_up=4), r'T_up 4 is not in \[0, T_0\), T_0 is 4'),
        (dict(T_0=4, T_up=-1), 'T_up -1 is not in'),
        (dict(T_0=4, T_mult=0.5), 'T_mult 0.5 is not at least 1'),
        (dict(T_0=4, gamma=0), 'gamma 0 is not in'),
        (dict(T_0=4, eta_min_ratio=1), 'eta_min_ratio 1 is not in'),
    ],
)
def test_values_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        CosineWarmupRestartLR(optimizer(1.0), **options)
