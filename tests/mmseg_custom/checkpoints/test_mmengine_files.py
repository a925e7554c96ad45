"""MMEngine's own file backend and loader are what other code in the process gets."""

import subprocess
import sys

import pytest
from mmengine.config import Config
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import load_from_local

from mmseg_custom.apis import test as run_test
from mmseg_custom.apis import train
from mmseg_custom.apis.runner import TrashRunner
from mmseg_custom.checkpoints import WholeFileBackend, load_local, safe_mmengine_files
from mmseg_custom.utils import UserError


def in_use() -> tuple:
    by_path = get_file_backend('a.pth')
    kept = get_file_backend('a.pth', enable_singleton=True)
    by_name = get_file_backend(backend_args=dict(backend='local'))
    return *map(type, (by_path, kept, by_name)), CheckpointLoader._get_checkpoint_loader('a.pth')


MMENGINES = (LocalBackend, LocalBackend, LocalBackend, load_from_local)
OURS = (WholeFileBackend, WholeFileBackend, WholeFileBackend, load_local)


@pytest.mark.slow
def test_importing_everything_leaves_mmengine_as_it_is():
    code = """
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.runner import CheckpointLoader
import mmseg_custom.apis, mmseg_custom.plugins, mmseg_custom.checkpoints
assert type(get_file_backend('a.pth')) is LocalBackend
assert CheckpointLoader._get_checkpoint_loader('a.pth').__module__ == 'mmengine.runner.checkpoint'
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')


def test_they_are_replaced_inside_only_also_when_the_body_fails():
    assert in_use() == MMENGINES
    with safe_mmengine_files():
        assert in_use() == OURS
        with safe_mmengine_files():
            assert in_use() == OURS
        assert in_use() == OURS
    assert in_use() == MMENGINES
    with pytest.raises(ValueError, match='body'), safe_mmengine_files():
        raise ValueError('body')
    assert in_use() == MMENGINES


def test_a_scheme_that_is_registered_inside_stays():
    with safe_mmengine_files():
        CheckpointLoader.register_scheme('trash-test://', load_from_local, force=True)
    try:
        assert in_use() == MMENGINES
        assert CheckpointLoader._get_checkpoint_loader('trash-test://a') is load_from_local
    finally:
        del CheckpointLoader._schemes['trash-test://']


@pytest.mark.parametrize('call', ['train', 'test'])
def test_trainings_and_tests_use_ours_and_restore_mmengines(
    call, monkeypatch, tmp_path, random_checkpoint
):
    seen = []

    def build(cfg):
        seen.append(in_use())
        raise UserError('enough')

    monkeypatch.setattr(TrashRunner, 'from_cfg', build)
    cfg = Config(dict(work_dir=str(tmp_path), model=dict()))
    with pytest.raises(UserError, match='enough'):
        train(cfg) if call == 'train' else run_test(cfg, str(random_checkpoint))
    assert seen == [OURS]
    assert in_use() == MMENGINES
