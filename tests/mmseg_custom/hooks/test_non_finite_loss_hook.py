import itertools
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from mmseg_custom.hooks import NonFiniteLossHook, non_finite_loss_hook
from mmseg_custom.utils import UserError

RUNS = itertools.count()


class Net(BaseModel):
    """A line whose loss is NaN where a sample says so."""

    def __init__(self, norm: bool):
        super().__init__()
        self.norm = nn.BatchNorm1d(2) if norm else nn.Identity()
        self.line = nn.Linear(2, 1)

    def forward(self, inputs, data_samples, mode='tensor'):
        factor = torch.tensor([sample.factor for sample in data_samples])
        error = self.line(self.norm(inputs)).squeeze(1) ** 2
        return dict(loss_a=(error * factor).mean(), loss_b=error.mean(), acc=error.detach())


def sample_of(number: int, factors: dict):
    labels = SimpleNamespace(data=torch.full((1, 2, 2), number))
    return SimpleNamespace(
        img_path=f'{number}.jpg', gt_sem_seg=labels, factor=factors.get(number, 1.0)
    )


def collate(batch):
    return dict(inputs=torch.stack([x for x, _ in batch]), data_samples=[s for _, s in batch])


class Watch(Hook):
    """Notes the weights after each iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.weights = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.weights.append(runner.model.line.weight.detach().clone())


def training(tmp_path, hook, factors=(), inputs=None, norm=False, accumulate=1):
    torch.manual_seed(0)
    watch, numbers = Watch(), torch.rand(12, 2) if inputs is None else inputs
    samples = [(numbers[i], sample_of(i, dict(factors))) for i in range(12)]
    loader = dict(
        dataset=samples,
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=collate,
    )
    optimizer = dict(type='AdamW', lr=0.1, weight_decay=0.1)
    runner = Runner(
        Net(norm),
        str(tmp_path),
        train_dataloader=loader,
        optim_wrapper=dict(optimizer=optimizer, accumulative_counts=accumulate),
        train_cfg=dict(by_epoch=False, max_iters=6),
        default_hooks=dict(logger=None, checkpoint=dict(type='CheckpointHook', by_epoch=False)),
        custom_hooks=[hook, watch],
        default_scope='mmengine',
        experiment_name=f'non_finite_{next(RUNS)}',
    )
    return runner, watch


@pytest.mark.parametrize('factor', [float('nan'), float('inf'), -float('inf')])
def test_the_training_stops_before_the_weights_are_spoilt(tmp_path, factor):
    runner, watch = training(tmp_path, NonFiniteLossHook(), {5: factor})
    before = runner.model
    with pytest.raises(UserError, match=r'iteration 3: the batch of 4.jpg, 5.jpg') as error:
        runner.train()
    assert len(watch.weights) == 2
    assert torch.equal(before.line.weight, watch.weights[-1])
    assert not (tmp_path / 'iter_3.pth').exists()
    (dump,) = (tmp_path / 'non_finite').iterdir()
    assert str(dump) in str(error.value)
    content = torch.load(dump, weights_only=True)
    assert content['img_paths'] == ['4.jpg', '5.jpg']
    assert content['iter'] == 3
    assert not content['losses']['loss_a'].isfinite()
    assert content['losses']['loss_b'].isfinite()
    assert content['gt_sem_seg'].shape == (2, 1, 2, 2)
    assert content['inputs'].shape == (2, 2)


def test_batches_are_left_out_without_a_step(tmp_path):
    hook = NonFiniteLossHook(max_skipped=2)
    runner, watch = training(tmp_path, hook, {2: float('nan'), 8: float('inf')})
    runner.train()
    same = [torch.equal(a, b) for a, b in itertools.pairwise(watch.weights)]
    assert same == [True, False, False, True, False]
    assert all(w.isfinite().all() for w in watch.weights)
    assert hook.skipped == 2
    steps = {int(s['step']) for s in runner.optim_wrapper.optimizer.state.values()}
    assert steps == {4}
    assert len(list((tmp_path / 'non_finite').iterdir())) == 2


def test_one_more_than_allowed_stops(tmp_path):
    hook = NonFiniteLossHook(max_skipped=1)
    runner, watch = training(tmp_path, hook, {2: float('nan'), 8: float('nan')})
    with pytest.raises(UserError, match='iteration 5'):
        runner.train()
    assert len(watch.weights) == 4


def test_gradients_that_wait_for_a_step_are_not_spoilt(tmp_path):
    factors = {2: float('nan'), 4: float('nan')}  # the last of a step, the first of the next
    runner, watch = training(tmp_path, NonFiniteLossHook(5), factors, accumulate=2)
    runner.train()
    assert all(w.isfinite().all() for w in watch.weights)
    same = [torch.equal(a, b) for a, b in itertools.pairwise(watch.weights)]
    assert same == [True, True, False, True, False]


def test_a_running_mean_that_is_spoilt_cannot_be_left_out(tmp_path):
    inputs = torch.rand(12, 2)
    inputs[3] = float('nan')
    runner, _ = training(tmp_path, NonFiniteLossHook(5), inputs=inputs, norm=True)
    with pytest.raises(UserError, match='iteration 2: .* so is norm.running_mean'):
        runner.train()


def test_a_training_without_such_losses_is_the_same(tmp_path):
    runner, with_hook = training(tmp_path, NonFiniteLossHook(max_skipped=3))
    runner.train()
    runner.model(torch.ones(1, 2), [sample_of(0, {0: float('nan')})], mode='loss')
    runner, without = training(tmp_path, Watch())
    runner.train()
    for a, b in zip(with_hook.weights, without.weights, strict=True):
        assert torch.equal(a, b)


def test_all_processes_stop(tmp_path, monkeypatch):
    def other_has_one(value, op):
        assert op == 'min'
        value.fill_(0)

    monkeypatch.setattr(non_finite_loss_hook, 'all_reduce', other_has_one)
    runner, _ = training(tmp_path, NonFiniteLossHook())
    with pytest.raises(UserError, match='iteration 1: the batch of another process'):
        runner.train()
    assert not (tmp_path / 'non_finite').exists()
