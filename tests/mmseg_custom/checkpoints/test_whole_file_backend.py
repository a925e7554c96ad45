import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

from mmseg_custom.checkpoints import WholeFileBackend, safe_mmengine_files
from mmseg_custom.checkpoints.sealed import is_whole
from mmseg_custom.utils import UserError

SAVE = """
import sys, torch
from mmengine.runner import save_checkpoint
from mmseg_custom.checkpoints import safe_mmengine_files
from mmseg_custom.utils import UserError
{before}
try:
    with safe_mmengine_files():
        save_checkpoint(dict(state_dict=dict(a=torch.zeros(300_000))), sys.argv[1])
except UserError as error:
    print(error)
    sys.exit(2)
"""


@pytest.fixture(autouse=True)
def _safe_files():
    with safe_mmengine_files():
        yield


def small(path, value):
    save_checkpoint(dict(state_dict=dict(a=torch.full((3,), value))), str(path))


def value_of(path) -> float:
    return float(torch.load(path, weights_only=True)['state_dict']['a'][0])


def test_mmengine_takes_it_for_every_local_file(tmp_path):
    assert type(get_file_backend(str(tmp_path))) is WholeFileBackend
    small(tmp_path / 'new' / 'a.pth', 1.0)
    assert is_whole(tmp_path / 'new' / 'a.pth')
    assert b'sha256:' in (tmp_path / 'new' / 'a.pth').read_bytes()[-80:]
    WholeFileBackend().put(b'plain', tmp_path / 'a.txt')
    assert (tmp_path / 'a.txt').read_bytes() == b'plain'
    assert (tmp_path / 'a.txt').stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.slow
def test_a_real_limit_of_the_disk_leaves_the_file_before(tmp_path):
    path = tmp_path / 'a.pth'
    small(path, 1.0)
    limit = 'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))'
    code = SAVE.format(before=limit)
    done = subprocess.run([sys.executable, '-c', code, path], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert f'{path}: there is no room for it on the disk' in done.stdout
    assert 'needs 1.2 MB' in done.stdout
    assert value_of(path) == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ['a.pth']


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_a_full_disk_that_shows_late(tmp_path, monkeypatch, number, call):
    def full(*args):
        raise OSError(number, os.strerror(number))

    small(tmp_path / 'a.pth', 1.0)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(UserError, match=r'a.pth: there is no room .* start again'):
        small(tmp_path / 'a.pth', 2.0)
    monkeypatch.undo()
    assert value_of(tmp_path / 'a.pth') == 1.0
    assert len(list(tmp_path.iterdir())) == 1


def test_other_errors_stay_what_they_are(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises((NotADirectoryError, FileExistsError)):
        WholeFileBackend().put(b'', tmp_path / 'file' / 'a.pth')


@pytest.mark.slow
def test_killed_in_the_middle_of_writing(tmp_path):
    path = tmp_path / 'iter_1.pth'
    small(path, 1.0)
    slow = """
import os, time
fsync = os.fsync
def slow(handle):
    time.sleep(60)
os.fsync = slow
"""
    process = subprocess.Popen([sys.executable, '-c', SAVE.format(before=slow), path])
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size > 1_000_000 for p in tmp_path.iterdir()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert value_of(path) == 1.0
    (left,) = (p for p in tmp_path.iterdir() if p != path)
    assert Path(left).name.startswith('.iter_1.')
