import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT

from mmseg_custom.version import __version__

LEFT = shutil.ignore_patterns(
    '.*', 'work_dirs', 'data', 'build', '*.egg-info', '__pycache__', 'docs'
)
SHARED = ('configs', 'tools', 'data_prep', 'apps', 'weights', 'samples')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    shutil.copytree(ROOT, folder / 'source', ignore=LEFT)
    command = [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation']
    subprocess.run([*command, '-w', folder, folder / 'source'], check=True)
    return next(folder.glob('*.whl'))


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp('installed')
    command = [sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index']
    subprocess.run([*command, '--target', folder, wheel], check=True)
    return folder


@pytest.mark.slow
def test_nothing_is_forgotten(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    share = next(name for name in held if name.endswith('configs/upernet_swin_toy.py'))
    share = share.removesuffix('configs/upernet_swin_toy.py')
    files = [path for name in ('mmseg_custom', *SHARED) for path in (ROOT / name).rglob('*.*')]
    names = [
        path.relative_to(ROOT).as_posix() for path in files if path.parent.name != '__pycache__'
    ]
    assert len(names) > 300
    for path in names:
        assert (path if path.startswith('mmseg_custom') else share + path) in held


@pytest.mark.slow
def test_it_trains_from_another_folder(installed, tmp_path):
    environment = os.environ | {'PYTHONPATH': str(installed)}

    def trash_seg(*arguments):
        command = [sys.executable, installed / 'bin' / 'trash-seg', *arguments]
        done = subprocess.run(
            [*map(str, command)], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    configs = installed / 'share' / 'trash-seg' / 'configs'
    said = trash_seg()
    assert str(configs) in said and 'train' in said and 'stratified_kfold' in said
    assert __version__ in trash_seg('--version')
    assert 'focal' in trash_seg('train', '--help')
    trash_seg('make_toy_trash', '--train', 16, '--val', 4, '--test', 4, '--size', 64)
    (tmp_path / 'mine.py').write_text(
        f"_base_ = '{configs}/upernet_swin_toy.py'\ntrain_dataloader = dict(batch_size=4)\n"
    )
    trash_seg('train', 'mine.py', '--loss', 'focal', '--epochs', 1)
    assert (tmp_path / 'work_dirs' / 'mine' / 'iter_4.pth').is_file()
    where = 'import mmseg_custom; print(mmseg_custom.__file__)'
    done = subprocess.run(
        [sys.executable, '-c', where], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert all(path.startswith(str(installed)) for path in done.stdout.split())
