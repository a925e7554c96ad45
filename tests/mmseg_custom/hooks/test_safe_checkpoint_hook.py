import errno
import itertools
import os

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from mmseg_custom.checkpoints import safe_mmengine_files
from mmseg_custom.checkpoints.resume import find_checkpoint
from mmseg_custom.utils import UserError

RUNS = itertools.count()


class Net(BaseModel):
    """One weight."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        value = self.line(inputs).mean()
        return dict(loss=value**2) if mode == 'loss' else [value.detach()]


class Scores(BaseMetric):
    """The scores that it was given, one per validation."""

    def __init__(self, scores):
        super().__init__()
        self.scores = iter(scores)

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        score = next(self.scores)
        return dict(score=score, other=-score)


def train(folder, scores, hook='SafeCheckpointHook', resume=False, validate=False, **options):
    loader = dict(
        dataset=[torch.ones(1)] * 4,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=lambda batch: dict(inputs=torch.stack(batch)),
    )
    runner = Runner(
        Net(),
        str(folder),
        train_dataloader=loader,
        val_dataloader=loader,
        val_evaluator=Evaluator([Scores(scores)]),
        val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        train_cfg=dict(by_epoch=False, max_iters=len(scores), val_interval=1),
        default_hooks=dict(
            logger=None, checkpoint=dict(type=hook, interval=1, by_epoch=False, **options)
        ),
        default_scope='mmseg',
        resume=resume,
        load_from=find_checkpoint(folder)[0] if resume else None,
        experiment_name=f'safe_checkpoint_{next(RUNS)}',
    )
    if validate:
        runner.val()
        return runner
    with safe_mmengine_files():
        runner.train()
    return runner


def files_of(folder):
    return sorted(path.name for path in folder.glob('[!.]*.pth'))


@pytest.mark.slow
@pytest.mark.parametrize(
    'options',
    [
        dict(max_keep_ckpts=1),
        dict(max_keep_ckpts=2, save_best='score', rule='greater'),
        dict(max_keep_ckpts=1, save_best=['score', 'other'], rule='greater'),
        dict(save_best='score', rule='less'),
    ],
)
def test_it_keeps_what_mmengine_keeps(tmp_path, options):
    scores = [0.3, 0.1, 0.4, 0.4, 0.2]
    train(tmp_path / 'ours', scores, **options)
    train(tmp_path / 'peer', scores, hook='mmengine.CheckpointHook', **options)
    assert files_of(tmp_path / 'ours') == files_of(tmp_path / 'peer') != []


def test_old_ones_are_there_while_the_new_one_is_written(tmp_path, monkeypatch):
    replace, seen = os.replace, {}

    def look(source, target):
        seen.setdefault(os.path.basename(target), files_of(tmp_path))
        replace(source, target)

    monkeypatch.setattr(os, 'replace', look)
    train(tmp_path, [0.1, 0.2, 0.3], max_keep_ckpts=1, save_best='score', rule='greater')
    assert seen['iter_2.pth'] == ['best_score_iter_1.pth', 'iter_1.pth']
    assert seen['best_score_iter_2.pth'] == ['best_score_iter_1.pth', 'iter_2.pth']
    assert seen['iter_3.pth'] == ['best_score_iter_2.pth', 'iter_2.pth']
    assert files_of(tmp_path) == ['best_score_iter_3.pth', 'iter_3.pth']


@pytest.mark.parametrize('torn', ['iter_2.pth', 'best_score_iter_2.pth'])
def test_a_full_disk_leaves_the_only_one_and_the_training_goes_on(tmp_path, monkeypatch, torn):
    replace = os.replace

    def full(source, target):
        if os.path.basename(target) == torn:
            raise OSError(errno.ENOSPC, 'No space left on device')
        replace(source, target)

    scores, options = [0.1, 0.2, 0.3], dict(save_best='score', rule='greater')
    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(UserError, match=f'{torn}: there is no room'):
        train(tmp_path, scores, max_keep_ckpts=1, **options)
    monkeypatch.undo()
    left = files_of(tmp_path)
    assert 'best_score_iter_1.pth' in left
    assert len(left) == 2
    train(tmp_path, scores, resume=True, max_keep_ckpts=1, **options)
    assert 'iter_3.pth' in files_of(tmp_path)
    assert len(files_of(tmp_path)) == 2


@pytest.mark.parametrize('best', ['score', ['score', 'other']])
def test_a_best_one_written_again_under_its_name_stays(tmp_path, best):
    runner = train(tmp_path, [0.1, 0.2], max_keep_ckpts=1, save_best=best, rule='greater')
    before = files_of(tmp_path)
    assert 'best_score_iter_2.pth' in before
    runner.call_hook('after_val_epoch', metrics=dict(score=0.3, other=-0.3))
    assert files_of(tmp_path) == before


@pytest.mark.parametrize('best', [None, 'auto', 'score', ['score', 'other']])
def test_a_validation_without_a_training_writes_nothing(tmp_path, best):
    train(tmp_path, [0.1], validate=True, max_keep_ckpts=1, save_best=best, rule='greater')
    assert files_of(tmp_path) == []


def test_a_validation_after_a_training_still_saves_the_best(tmp_path):
    runner = train(tmp_path, [0.1, 0.2], save_best='score', rule='greater')
    runner.val_evaluator.metrics[0].scores = iter([0.9])
    runner.val()
    assert runner.message_hub.get_info('best_score') == 0.9
