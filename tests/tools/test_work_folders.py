"""A work folder is one training's: copies, moves and branches leave the others alone."""

import json
import shutil

import pytest
import torch
from processes import run_to_end
from products import ITERS, TOY
from trainings import content_of, train

from mmseg_custom.runs.run_folder import best_checkpoint, read_run

LONGER = [f'train_cfg.max_iters={ITERS + 2}']


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the shared training."""
    return shutil.copytree(trained, tmp_path / 'run')


def iterations_of(folder):
    return sorted(int(path.stem[5:]) for path in folder.glob('iter_*.pth'))


def assert_kept(before, folder):
    after = content_of(folder)
    assert {name: after.get(name) for name in before} == before


def test_paths_in_a_folder_are_names(trained):
    assert (trained / 'last_checkpoint').read_text() == f'iter_{ITERS}.pth'
    content = torch.load(trained / f'iter_{ITERS}.pth', weights_only=False)
    information = content['message_hub']['runtime_info']
    assert information['last_ckpt'] == f'iter_{ITERS}.pth'
    assert (trained / information['best_ckpt']).is_file()
    assert '/' not in information['best_ckpt']


@pytest.mark.parametrize('way', ['copy', 'move'])
def test_a_copied_or_moved_folder_continues_by_itself(way, run, toy_set, tmp_path):
    new = tmp_path / 'new'
    (shutil.copytree if way == 'copy' else shutil.move)(run, new)
    before = content_of(run) if way == 'copy' else {}
    done = train(toy_set, new, '--resume', options=LONGER)
    assert f'resuming {new}/iter_{ITERS}.pth' in done.stdout
    assert iterations_of(new)[-1] == ITERS + 2
    assert_kept(before, run)


def test_a_branch_leaves_the_other_folder_alone(run, toy_set, tmp_path):
    before, branch = content_of(run), tmp_path / 'branch'
    train(toy_set, branch, '--resume', run / f'iter_{ITERS - 4}.pth')
    assert content_of(run) == before
    assert iterations_of(branch) == [ITERS]
    assert best_checkpoint(branch)[0] == str(branch / f'best_mIoU_iter_{ITERS}.pth')
    ends = [
        torch.load(folder / f'iter_{ITERS}.pth', weights_only=False)['state_dict']
        for folder in (run, branch)
    ]
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


@pytest.mark.parametrize(
    'mistake', [['--data-root', '/nowhere'], ['--train-json', 'none.json'], ['--loss', 'none']]
)
def test_a_mistyped_start_destroys_nothing(mistake, run, toy_set):
    before = content_of(run)
    train(toy_set, run, *mistake, code=2)
    assert_kept(before, run)
    assert list(read_run(run).val['mIoU']) == [ITERS // 2, ITERS]


def test_a_new_training_in_a_used_folder_moves_the_earlier_one_aside(run, toy_set):
    (run / 'notes.txt').write_text('mine')
    (run / 'mine.py').write_text("_base_ = 'toy.py'\n")
    before = content_of(run)
    done = train(toy_set, run, '--seed', 5, options=['train_cfg.max_iters=2'])
    assert f'moved to {run}/earlier_1' in done.stdout
    kept = {'notes.txt', 'mine.py'}
    aside = content_of(run / 'earlier_1')
    assert aside == {name: content for name, content in before.items() if name not in kept}
    assert kept <= set(content_of(run))
    assert iterations_of(run) == [2]
    # report, compare and self_train read the shorter second one
    assert list(read_run(run).val['mIoU']) == [2]
    assert read_run(run).validation['iter'] == 2
    assert best_checkpoint(run)[0].endswith('iter_2.pth')
    assert read_run(run / 'earlier_1').config.randomness.seed == 3
    train(toy_set, run / 'earlier_1', '--resume', options=LONGER)


def test_a_new_training_without_a_checkpoint_does_not_own_the_folder(run, toy_set, tmp_path):
    before, data = content_of(run), shutil.copytree(toy_set, tmp_path / 'data')
    for photo in data.glob('batch_01/*.jpg'):
        photo.write_bytes(photo.read_bytes()[:100])
    train(data, run, '--seed', 5, code=2)
    assert_kept(before, run)
    assert list(read_run(run).val['mIoU']) == [ITERS // 2, ITERS]
    assert read_run(run).config.randomness.seed == 3
    # a launcher that starts it again starts it, not the earlier one
    again = dict(TORCHELASTIC_RESTART_COUNT='1')
    arguments = [TOY, '--data-root', data, '--work-dir', run]
    done = run_to_end('tools/train.py', *arguments, code=2, env=again)
    assert 'resuming' not in done.stdout


def test_nothing_to_resume_names_the_checkpoints_and_stops(run, toy_set):
    (run / 'last_checkpoint').unlink()
    before = content_of(run)
    error = train(toy_set, run, '--resume', code=2).stderr
    assert 'nothing to resume' in error
    assert f'iter_{ITERS}.pth' in error
    assert content_of(run) == before


def test_resuming_an_older_checkpoint_moves_what_came_later_aside(run, toy_set):
    path = run / 'val' / f'iter_{ITERS:06d}.json'
    path.write_text(json.dumps(dict(json.loads(path.read_text()), metrics=dict(mIoU=99.0))))
    train(toy_set, run, '--resume', run / f'iter_{ITERS - 4}.pth')
    assert (run / 'earlier_1' / 'val' / path.name).is_file()
    assert best_checkpoint(run)[1] < 99


def test_an_interrupted_move_is_undone(run):
    from mmseg_custom.checkpoints import work_folder

    before = content_of(run)
    moved = work_folder.move_aside(run)
    # as if it had been killed in between
    (moved / '.moving').touch()
    (moved / 'last_checkpoint').rename(run / 'last_checkpoint')
    (run / 'val').mkdir()
    name = f'iter_{ITERS:06d}.json'
    (moved / 'val' / name).rename(run / 'val' / name)
    work_folder.undo_interrupted_move(run)
    assert content_of(run) == before


def test_testing_leaves_the_record_of_the_training_alone(run, toy_set):
    before = content_of(run)
    out = ['--out', run, '--data-root', toy_set]
    run_to_end('tools/test.py', TOY, run / f'iter_{ITERS}.pth', *out)
    assert_kept(before, run)
    assert list(read_run(run).val['mIoU']) == [ITERS // 2, ITERS]
