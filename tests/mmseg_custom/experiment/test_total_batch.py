"""Learning rate and length follow the photos of one optimizer step."""

import runpy
from types import SimpleNamespace

import pytest
import torch
from conftest import ROOT
from mmengine.runner import Runner
from mmseg.models import EncoderDecoder

from mmseg_custom.experiment import total_batch
from mmseg_custom.experiment.build import build_experiment
from mmseg_custom.experiment.fitting_batch import largest_that_fits
from mmseg_custom.utils import UserError

SWIN, FCN, EOMT = 'upernet_swin_trash', 'fcn_r50_trash', 'eomt_dinov2_large_trash'
LENGTH = 'train_cfg.max_iters'


def built(name, *arguments, processes=1, monkeypatch=None):
    if monkeypatch:
        monkeypatch.setenv('WORLD_SIZE', str(processes))
    parser = runpy.run_path(str(ROOT / 'tools' / 'train.py'))['build_parser']()
    config = ROOT / 'configs' / f'{name}.py'
    return build_experiment(parser.parse_args([str(config), *map(str, arguments)]))


def photos(cfg, processes):
    """Return how many photos a training sees, and how many a step of the optimizer."""
    per_iteration = cfg.train_dataloader.batch_size * processes
    counts = cfg.optim_wrapper.get('accumulative_counts', 1)
    return per_iteration * cfg.train_cfg.max_iters, per_iteration * counts


@pytest.mark.parametrize('name', [SWIN, FCN, EOMT])
@pytest.mark.parametrize(('size', 'processes'), [(8, 8), (2, 1), (4, 16)])
def test_a_training_sees_as_many_photos_with_any_batch(name, size, processes, monkeypatch):
    before = built(name)
    arguments = ['--auto-scale-lr', '--batch-size', size]
    cfg = built(name, *arguments, processes=processes, monkeypatch=monkeypatch)
    (seen, step), (_, base) = photos(cfg, processes), photos(before, 1)
    assert seen == photos(before, 1)[0]
    assert step >= base or name != EOMT
    # As far as both schedules have come after half the photos.
    ends = [s.get('end') / cfg.train_cfg.max_iters for s in cfg.param_scheduler]
    old = [s.get('end') / before.train_cfg.max_iters for s in before.param_scheduler]
    assert ends == pytest.approx(old, rel=0.02)
    ratio = cfg.optim_wrapper.optimizer.lr / before.optim_wrapper.optimizer.lr
    assert ratio == pytest.approx(step / base if name == FCN else (step / base) ** 0.5)


def test_the_linear_rule_is_mmengines(monkeypatch):
    cfg = built(FCN, '--auto-scale-lr', processes=8, monkeypatch=monkeypatch)
    param = torch.nn.Parameter(torch.zeros(1))
    wrapper = runner_wrapper = Runner.build_optim_wrapper(
        SimpleNamespace(model=torch.nn.ParameterList([param])),
        dict(optimizer=dict(type='SGD', lr=0.01)),
    )
    runner = SimpleNamespace(
        world_size=8,
        _train_dataloader=dict(batch_size=8),
        param_schedulers=dict(type='PolyLR'),
        logger=SimpleNamespace(info=lambda text: None),
    )
    Runner.scale_lr(runner, wrapper, dict(enable=True, base_batch_size=8))
    assert runner_wrapper.param_groups[0]['lr'] == pytest.approx(cfg.optim_wrapper.optimizer.lr)
    # MMEngine must not do it once more.
    assert not cfg.auto_scale_lr.enable


def test_what_is_given_stays_and_a_line_says_what_was_done(monkeypatch, capsys):
    given = ['--cfg-options', 'train_cfg.max_iters=100', 'optim_wrapper.optimizer.lr=0.5']
    cfg = built(SWIN, '--auto-scale-lr', *given, processes=4, monkeypatch=monkeypatch)
    assert (cfg.train_cfg.max_iters, cfg.optim_wrapper.optimizer.lr) == (100, 0.5)
    said = capsys.readouterr().out
    assert 'total batch 32 (8 photos x 4 processes), schedule for 8' in said
    assert 'learning rate 0.5 as given; 100 iterations as given' in said
    cfg = built(SWIN, '--no-auto-scale-lr', processes=4, monkeypatch=monkeypatch)
    assert (cfg.train_cfg.max_iters, cfg.optim_wrapper.optimizer.lr) == (40000, 6e-5)
    assert 'a step sees 32 photos; learning rate and length' in capsys.readouterr().out


def test_epochs_have_a_length_of_their_own(toy_set, monkeypatch):
    arguments = ['--auto-scale-lr', '--epochs', 6, '--data-root', toy_set]
    cfg = built(SWIN, *arguments, processes=2, monkeypatch=monkeypatch)
    # 24 photos, 16 an iteration.
    assert cfg.train_cfg.max_iters == 12
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(6e-5 * 2**0.5)


def test_a_config_that_a_training_wrote_is_not_scaled_again(monkeypatch, tmp_path):
    arguments = ['--auto-scale-lr', '--batch-size', 2]
    first = built(EOMT, *arguments, processes=16, monkeypatch=monkeypatch)
    batch = total_batch.TotalBatch(16)
    batch.note(first)
    again = first.copy()
    batch.apply(again, True)
    assert again.to_dict() == first.to_dict()


def test_a_config_without_a_base_is_left_alone(monkeypatch, capsys):
    cfg = built(SWIN)
    cfg.pop('auto_scale_lr')
    before = cfg.to_dict()
    total_batch.TotalBatch(8).apply(cfg, True)
    assert cfg.to_dict() == before
    assert 'nothing is scaled' in capsys.readouterr().out


@pytest.mark.parametrize('wanted', [1, 7, 8, 12, 16])
@pytest.mark.parametrize('room', [0, 1, 2, 5, 100])
def test_the_largest_divisor_that_fits_is_found(wanted, room):
    size = largest_that_fits(wanted, lambda size: size <= room)
    allowed = [n for n in range(1, room + 1) if wanted % n == 0]
    assert size == max(allowed, default=0)


def memory_for(count, monkeypatch):
    """Let a GPU with room for so many photos be stood in for."""
    original = EncoderDecoder.loss

    def loss(self, inputs, *args):
        if len(inputs) > count:
            raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
        return original(self, inputs, *args)

    monkeypatch.setattr(EncoderDecoder, 'loss', loss)


AUTO = ['--batch-size', 'auto', '--augmentation', 'none', '--data-root']


@pytest.mark.parametrize(('room', 'size'), [(1, 1), (3, 2)])
def test_a_batch_that_fits_is_accumulated_to_the_base(room, size, toy_set, monkeypatch, capsys):
    memory_for(room, monkeypatch)
    cfg = built('upernet_swin_toy', *AUTO, toy_set)
    assert cfg.train_dataloader.batch_size == size
    assert cfg.optim_wrapper.accumulative_counts == 8 // size
    assert photos(cfg, 1) == (800 * 8, 8)
    assert cfg.optim_wrapper.optimizer.lr == 3e-3
    assert f'{size} photos x 1 processes x {8 // size} accumulated' in capsys.readouterr().out
    # The same machine and command: the same training, which can be resumed.
    assert built('upernet_swin_toy', *AUTO, toy_set).to_dict() == cfg.to_dict()


def test_no_room_at_all_is_one_message(toy_set, monkeypatch):
    memory_for(0, monkeypatch)
    with pytest.raises(UserError, match='not even one photo fits'):
        built('upernet_swin_toy', *AUTO, toy_set)


def test_another_fault_is_not_taken_for_a_full_memory(toy_set, monkeypatch):
    def loss(self, inputs, *args):
        raise RuntimeError('shapes cannot be multiplied')

    monkeypatch.setattr(EncoderDecoder, 'loss', loss)
    with pytest.raises(RuntimeError, match='shapes cannot be multiplied'):
        built('upernet_swin_toy', *AUTO, toy_set)
