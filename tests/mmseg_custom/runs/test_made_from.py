"""A training is known by the content of what it was made from."""

import shutil
import sys

import pytest

from mmseg_custom.runs.made_from import describe_training
from mmseg_custom.utils.digests import differences


@pytest.fixture
def base(tmp_path):
    """An experiment that begins from weights, on two annotation files."""
    folder = tmp_path / 'a'
    folder.mkdir()
    for name in ('train.json', 'val.json', 'fold.json', 'weights.pth'):
        (folder / name).write_text(name)
    (folder / 'x.py').write_text(
        f'data_root = "unused"\nload_from = {str(folder / "weights.pth")!r}\n'
        f'train_dataloader = dict(dataset=dict(ann_file={str(folder / "train.json")!r}))\n'
        f'val_dataloader = dict(dataset=dict(data_root={str(folder)!r}, ann_file="val.json"))\n'
        'lr = 1\n'
    )
    return folder


def described(folder, *arguments):
    command = [sys.executable, 'train.py', str(folder / 'x.py'), '--work-dir', str(folder / 'work')]
    return describe_training(str(folder / 'x.py'), folder / 'work', [*command, *arguments])


@pytest.mark.parametrize('name', ['train.json', 'val.json', 'weights.pth'])
def test_other_content_of_a_file_is_another_training(base, name):
    before = described(base)
    (base / name).write_text('something else')
    assert len(differences(before, described(base))) == 1


def test_another_config_or_argument_is_another_training(base):
    before = described(base)
    assert differences(before, described(base, '--seed', '7'))
    (base / 'x.py').write_text((base / 'x.py').read_text().replace('lr = 1', 'lr = 2'))
    (row,) = differences(before, described(base))
    assert row.startswith('  config: was x.py')


@pytest.mark.parametrize('form', [['--{}-json', '{}'], ['--{}-json={}']], ids=['two', 'one'])
@pytest.mark.parametrize('part', ['train', 'val'])
def test_a_file_on_the_command_line_takes_the_place_of_the_configs(base, part, form):
    with open(base / 'x.py', 'a') as config:
        config.write('test_dataloader = val_dataloader\n')
    fold = str(base / 'fold.json')
    arguments = ' '.join(form).format(part, fold).split()
    before = described(base, *arguments)
    (base / f'{part}.json').write_text('something else')
    assert not differences(before, described(base, *arguments))
    (base / 'fold.json').write_text('something else')
    assert differences(before, described(base, *arguments))


def test_the_same_files_elsewhere_are_the_same_training(base, tmp_path):
    before = described(base)
    copy = shutil.copytree(base, tmp_path / 'b')
    text = (copy / 'x.py').read_text()
    (copy / 'x.py').write_text(text.replace(f'{base}/weights', f'{copy}/weights'))
    assert not differences(before, described(copy))
