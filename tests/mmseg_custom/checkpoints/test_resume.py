import os

import pytest
import torch
from mmengine.runner import save_checkpoint

from mmseg_custom.checkpoints import safe_mmengine_files
from mmseg_custom.checkpoints.resume import find_checkpoint, remove_left_overs
from mmseg_custom.utils import UserError


@pytest.fixture(autouse=True)
def _safe_files():
    with safe_mmengine_files():
        yield


@pytest.fixture
def work_dir(tmp_path):
    for step in (100, 200, 1000):
        save(tmp_path, step)
    save_checkpoint(dict(state_dict={}), str(tmp_path / 'best_mIoU_iter_900.pth'))
    return tmp_path


def save(folder, step: int):
    path = folder / f'iter_{step}.pth'
    save_checkpoint(dict(state_dict=dict(a=torch.ones(50))), str(path))
    os.utime(path, (step, step))
    (folder / 'last_checkpoint').write_text(str(path))


def damage(path, cut=False):
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content[:-30] if cut else content)


def test_the_named_one_is_taken(work_dir):
    assert find_checkpoint(work_dir) == (str(work_dir / 'iter_1000.pth'), [])


@pytest.mark.parametrize('cut', [False, True])
def test_a_damaged_one_gives_way_to_the_one_before(work_dir, cut):
    damage(work_dir / 'iter_1000.pth', cut)
    damage(work_dir / 'iter_200.pth', cut)
    damaged = [str(work_dir / f'iter_{step}.pth') for step in (1000, 200)]
    assert find_checkpoint(work_dir) == (str(work_dir / 'iter_100.pth'), damaged)


def test_a_deleted_one_gives_way_to_the_one_before(work_dir):
    (work_dir / 'iter_1000.pth').unlink()
    assert find_checkpoint(work_dir)[0] == str(work_dir / 'iter_200.pth')


def test_all_damaged_is_told(work_dir):
    for path in work_dir.glob('iter_*.pth'):
        damage(path)
    with pytest.raises(UserError, match=r'iter_1000.pth, iter_200.pth, iter_100.pth'):
        find_checkpoint(work_dir)


def test_an_earlier_trainings_end_is_not_taken(work_dir):
    save(work_dir, 300)  # a new training came this far
    os.utime(work_dir / 'iter_300.pth', (5000, 5000))
    damage(work_dir / 'iter_300.pth')
    assert find_checkpoint(work_dir)[0] == str(work_dir / 'iter_200.pth')
    (work_dir / 'last_checkpoint').write_text('')  # torn
    assert find_checkpoint(work_dir)[0] == str(work_dir / 'iter_200.pth')


def test_what_a_killed_run_left_half_written_is_removed(work_dir):
    left = work_dir / '.iter_1100.x7_sk2.pth'
    left.write_bytes(b'half')
    (work_dir / '.other.pth').write_bytes(b'')
    remove_left_overs(work_dir)
    assert not left.exists()
    assert (work_dir / '.other.pth').exists()
    assert len(list(work_dir.glob('iter_*.pth'))) == 3


@pytest.mark.parametrize(
    'written', ['{folder}/iter_200.pth', 'C:\\runs\\iter_200.pth', 'iter_200.pth']
)
def test_only_the_name_in_the_pointer_counts(work_dir, tmp_path_factory, written):
    elsewhere = tmp_path_factory.mktemp('elsewhere')
    save(elsewhere, 200)
    (work_dir / 'last_checkpoint').write_text(written.format(folder=elsewhere))
    assert find_checkpoint(work_dir) == (str(work_dir / 'iter_200.pth'), [])


def test_no_training_is_no_error(tmp_path):
    assert find_checkpoint(tmp_path / 'gone') == (None, [])
    (tmp_path / 'last_checkpoint').write_text('')
    assert find_checkpoint(tmp_path) == (None, [])
    remove_left_overs(tmp_path / 'gone')
