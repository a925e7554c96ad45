import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmseg_custom.optim import TwoStageWarmupPolyLR
from mmseg_custom.utils import UserError

RATES = (1.0, 0.25)


def schedule(tagged=True, **options):
    groups = [dict(params=[nn.Parameter(torch.zeros(1))], lr=rate) for rate in RATES]
    if tagged:
        for group, is_encoder in zip(groups, (False, True), strict=True):
            group['is_encoder'] = is_encoder
    optimizer = torch.optim.SGD(groups, lr=1.0)
    options = dict(by_epoch=False, begin=0, end=50) | options
    return TwoStageWarmupPolyLR(OptimWrapper(optimizer), **options), optimizer


@pytest.mark.parametrize(('first', 'second', 'power'), [(5, 10, 0.9), (0, 3, 2.0), (4, 0, 1.0)])
def test_each_step_has_the_rate_of_eomts_schedule(first, second, power):
    """The authors' rule, a step at a time: steps of the head and of the ViT after it."""
    scheduler, optimizer = schedule(T_up=first, T_up_encoder=second, power=power)
    for step in range(50):
        head, encoder = (group['lr'] for group in optimizer.param_groups)
        if step < first:
            expected = (step / first, 0)
        else:
            late = step - first
            expected = ((1 - late / (50 - first)) ** power,)
            if late < second:
                expected += (late / second,)
            else:
                left = 50 - first - second
                expected += ((1 - (late - second) / left) ** power,)
        assert head == pytest.approx(RATES[0] * expected[0]), step
        assert encoder == pytest.approx(RATES[1] * expected[1]), step
        optimizer.step()
        scheduler.step()


def test_a_resumed_schedule_continues():
    straight, _ = schedule(T_up=5, T_up_encoder=10)
    for _ in range(20):
        straight.step()
    again, optimizer = schedule(T_up=5, T_up_encoder=10)
    again.load_state_dict(straight.state_dict())
    again.step()
    straight.step()
    assert [group['lr'] for group in optimizer.param_groups] == straight.get_last_value()[:2]


def test_mistakes_are_reported():
    with pytest.raises(UserError, match='do not end within the 50 steps'):
        schedule(T_up=20, T_up_encoder=30)
    with pytest.raises(UserError, match='LayerDecayOptimWrapperConstructor'):
        schedule(tagged=False, T_up=1, T_up_encoder=1)
