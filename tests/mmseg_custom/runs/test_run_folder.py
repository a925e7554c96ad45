import os

import pytest
from run_folders import TRAIN, VAL, write_log, write_run

from mmseg_custom.runs.run_folder import read_run
from mmseg_custom.utils import UserError


@pytest.fixture
def folder(tmp_path):
    write_run(tmp_path / 'run', tmp_path)
    return tmp_path / 'run'


def test_curves_are_what_was_logged(folder):
    run = read_run(folder)
    assert run.train['loss'] == {line['step']: line['loss'] for line in TRAIN}
    assert run.val['mIoU'] == {line['step']: line['mIoU'] for line in VAL}
    assert 'iter' not in run.train
    assert 'step' not in run.val
    # The times of trainings and of validations are not mixed.
    assert run.median('time') == 0.4
    assert list(run.val['time'].values()) == [0.25, 0.5]
    assert run.median('no such curve') is None
    assert run.iterations == 30
    assert run.validation is None


def test_a_resumed_training_goes_on_where_it_went_over_itself(folder):
    again = [dict(loss=9.0, lr=0.1, step=20), dict(loss=8.0, lr=0.1, step=40)]
    write_log(folder, '20260102_000000', [*again, dict(mIoU=30.0, step=40)])
    run = read_run(folder)
    assert run.train['loss'] == {10: 3.0, 20: 9.0, 40: 8.0}
    assert run.val['mIoU'] == {15: 20.0, 30: 25.0, 40: 30.0}
    assert run.iterations == 40


def test_a_validation_after_the_last_logged_loss_counts_its_iterations(folder):
    write_log(folder, '20260102_000000', [dict(loss=9.0, step=40), dict(mIoU=30.0, step=45)])
    assert read_run(folder).iterations == 45


def test_a_log_that_was_cut_or_has_no_number(folder):
    path = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
    with path.open('a') as file:
        file.write('{"loss": NaN, "lr": 0.5, "step": 40}\n{"loss": 1.0, "lr"')
    run = read_run(folder)
    assert max(run.train['loss']) == 30
    assert run.train['lr'][40] == 0.5


def test_a_config_that_lies_in_the_folder_is_not_taken_for_its_own(folder):
    later = folder / 'mine.py'
    later.write_text("_base_ = './toy.py'\nload_from = 'x'\n")
    os.utime(later, (2**33, 2**33))
    run = read_run(folder)
    assert run.config.model.type == 'TrashEncoderDecoder'
    assert run.config_name == 'toy.py'


def test_a_folder_without_log_or_without_anything(folder, tmp_path):
    bare = tmp_path / 'bare'
    bare.mkdir()
    with pytest.raises(UserError, match='has no config'):
        read_run(bare)
    (folder / 'toy.py').rename(bare / 'toy.py')
    run = read_run(bare)
    assert run.train == run.val == {}
    assert run.iterations == 0
