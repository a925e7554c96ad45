"""A resumed training is the one that was stopped, or what has changed is shown and allowed."""

import json
import shutil

import pytest
import torch
from products import ITERS, TOY
from trainings import train

from mmseg_custom.datasets.samplers import SeededInfiniteSampler


def state_of(folder, iteration):
    return torch.load(folder / f'iter_{iteration}.pth', weights_only=False)['state_dict']


def rates(folder):
    """Return the logged learning rate of each iteration."""
    lines = [
        json.loads(line)
        for path in sorted(folder.glob('*/vis_data/scalars.json'))
        for line in path.read_text().splitlines()
    ]
    return {line['step']: line['lr'] for line in lines if 'lr' in line}


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / 'run')


@pytest.mark.parametrize(
    'change',
    [
        ['--loss', 'focal'],
        ['--seed', 9],
        ['--batch-size', 4],
        ['--option', 'ema'],
        ['--train-json', 'val.json', '--val-json', 'train.json'],
        ['--cfg-options', 'optim_wrapper.optimizer.lr=0.5'],
        ['--cfg-options', 'model.decode_head.dropout_ratio=0.5'],
    ],
)
def test_another_experiment_is_shown_and_refused(change, run, toy_set):
    options = change[1:] if change[0] == '--cfg-options' else []
    arguments = [] if options else change
    done = train(toy_set, run, '--resume', *arguments, options=options, code=2)
    assert 'checkpoint' in done.stdout
    assert '--allow-changes' in done.stderr
    assert not (run / 'earlier_1').exists()


def test_what_does_not_matter_passes(run, toy_set, tmp_path):
    elsewhere = shutil.copytree(toy_set, tmp_path / 'moved')
    options = ['train_cfg.val_interval=3', 'default_hooks.checkpoint.interval=2']
    done = train(elsewhere, run, '--resume', options=options)
    assert 'changed since' not in done.stdout


@pytest.fixture(scope='module')
def longer(toy_set, tmp_path_factory):
    """A training of two more iterations from the start."""
    folder = tmp_path_factory.mktemp('longer') / 'run'
    train(toy_set, folder, options=[f'train_cfg.max_iters={ITERS + 2}'])
    return folder


def test_more_iterations_follow_the_longer_schedule(run, longer, toy_set):
    done = train(toy_set, run, '--resume', options=[f'train_cfg.max_iters={ITERS + 2}'])
    assert f'the schedule is rebuilt for {ITERS + 2} iterations' in done.stdout
    found, expected = rates(run), rates(longer)
    for step in (ITERS + 1, ITERS + 2):
        assert found[step] == pytest.approx(expected[step], rel=1e-6)
    assert found[ITERS + 1] > 0
    before, after = state_of(run, ITERS), state_of(run, ITERS + 2)
    assert any(not torch.equal(value, after[name]) for name, value in before.items())


def test_a_changed_learning_rate_counts(run, toy_set):
    options = [f'train_cfg.max_iters={ITERS + 2}', 'optim_wrapper.optimizer.lr=0.003']
    ten = [options[0], 'optim_wrapper.optimizer.lr=0.03']
    other = shutil.copytree(run, run.parent / 'other')
    train(toy_set, run, '--resume', options=options)
    train(toy_set, other, '--resume', '--allow-changes', options=ten)
    assert rates(other)[ITERS + 1] == pytest.approx(10 * rates(run)[ITERS + 1], rel=1e-6)


def test_averaged_weights_are_not_taken_for_trained_ones(toy_set, tmp_path):
    # After one iteration the average is the weights themselves.
    options = ['train_cfg.max_iters=3', 'default_hooks.checkpoint.interval=1']
    train(toy_set, tmp_path / 'plain', options=options)
    train(toy_set, tmp_path / 'ema', '--option', 'ema', options=options)
    averaged = tmp_path / 'ema' / 'iter_2.pth'
    plain, mean = state_of(tmp_path / 'plain', 2), state_of(tmp_path / 'ema', 2)
    assert any(not torch.equal(value, mean[name]) for name, value in plain.items())
    train(toy_set, tmp_path / 'resumed', '--resume', averaged, '--allow-changes', options=options)
    expected, found = (state_of(tmp_path / name, 3) for name in ('plain', 'resumed'))
    assert all(torch.equal(value, found[name]) for name, value in expected.items())


@pytest.mark.parametrize(('batch', 'processes'), [(4, 1), (2, 3), (8, 2)])
def test_the_order_of_photos_continues(batch, processes, monkeypatch):
    def sampler(rank, world):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, world))
        return SeededInfiniteSampler(list(range(10)), seed=5)

    whole = iter(sampler(0, 1))
    order = [(int(index), index.seed) for index, _ in zip(whole, range(72), strict=False)]
    # 24 photos were seen, three batches of eight by one process
    found = []
    for rank in range(processes):
        one = sampler(rank, processes)
        one.photos_seen = 24
        one.skip(3 * batch)
        found.append([next(iter_) for iter_ in [iter(one)] for _ in range(4)])
    mixed = [(int(index), index.seed) for group in zip(*found, strict=True) for index in group]
    assert mixed == order[24 : 24 + 4 * processes]


def test_a_finished_training_names_what_comes_next(run, toy_set):
    said = train(toy_set, run, '--resume').stdout
    assert f'best checkpoint: {run}/best_mIoU_iter_' in said
    assert f'trash-seg test {run}/best_mIoU_iter_' in said


def test_fewer_iterations_than_done_is_a_mistake(run, toy_set):
    error = train(toy_set, run, '--resume', options=['train_cfg.max_iters=4'], code=2).stderr
    assert f'is at iteration {ITERS}' in error


def test_a_config_is_named_when_it_changed(run, toy_set, tmp_path):
    own = tmp_path / 'upernet_swin_toy.py'
    own.write_text(f'_base_ = {str(TOY)!r}\nmodel = dict(decode_head=dict(dropout_ratio=0.3))\n')
    said = train(toy_set, run, '--resume', config=own, code=2).stdout
    assert 'model.decode_head.dropout_ratio' in said
