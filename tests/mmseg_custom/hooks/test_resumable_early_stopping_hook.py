"""Early stopping decides the same with and without a resume in between."""

import json
import logging
from types import SimpleNamespace

import pytest
from mmengine.hooks import EarlyStoppingHook

from mmseg_custom.hooks import ResumableEarlyStoppingHook

SCORES = [10, 20, 19, 20.05, 18, 30, 29, 29, 31, 31.05, 31.05, 31.08, 30, 40]
OPTIONS = dict(monitor='mIoU', patience=4, min_delta=0.1)


def runner_at(iteration, folder):
    loop = SimpleNamespace(stop_training=False)
    logger = logging.getLogger('early stopping')
    return SimpleNamespace(
        iter=iteration, work_dir=folder, train_loop=loop, _train_loop=loop, logger=logger
    )


def validate(hook, runner, number):
    runner.iter = 100 * number
    metrics = dict(mIoU=SCORES[number - 1])
    folder = runner.work_dir / 'val'
    folder.mkdir(exist_ok=True)
    (folder / f'iter_{runner.iter:06d}.json').write_text(json.dumps(dict(metrics=metrics)))
    hook.after_val_epoch(runner, metrics)


def stops_after(kind, folder, resumed_at=0):
    """Return the number of the validation that stopped a training."""
    hook, runner = kind(**OPTIONS), runner_at(0, folder)
    for number in range(1, len(SCORES) + 1):
        if number - 1 == resumed_at and resumed_at:
            hook, runner = kind(**OPTIONS), runner_at(100 * resumed_at, folder)
            hook.before_train(runner)
        if runner.train_loop.stop_training:
            return number - 1
        validate(hook, runner, number)
        if runner.train_loop.stop_training:
            return number
    return None


@pytest.fixture
def uninterrupted(tmp_path):
    (tmp_path / 'whole').mkdir()
    return stops_after(EarlyStoppingHook, tmp_path / 'whole')


@pytest.mark.parametrize('resumed_at', range(13))
def test_a_resume_changes_nothing(resumed_at, uninterrupted, tmp_path):
    assert uninterrupted == 13
    assert stops_after(ResumableEarlyStoppingHook, tmp_path, resumed_at) == 13


def test_a_training_that_was_stopped_does_not_continue(tmp_path):
    hook, runner = ResumableEarlyStoppingHook(**OPTIONS), runner_at(0, tmp_path)
    for number in range(1, 14):
        validate(hook, runner, number)
    assert runner.train_loop.stop_training
    again = runner_at(1300, tmp_path)
    ResumableEarlyStoppingHook(**OPTIONS).before_train(again)
    assert again.train_loop.stop_training
    # Validations after the iteration that it continues from are those of another future.
    earlier = runner_at(1200, tmp_path)
    ResumableEarlyStoppingHook(**OPTIONS).before_train(earlier)
    assert not earlier.train_loop.stop_training


def test_validations_that_are_missing_are_named(tmp_path, caplog):
    ResumableEarlyStoppingHook(**OPTIONS).before_train(runner_at(100, tmp_path))
    assert 'waiting from scratch' in caplog.text
