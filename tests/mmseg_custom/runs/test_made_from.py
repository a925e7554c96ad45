"""A training is known by the content of what it was made from."""

import json
import shutil
import sys

import pytest

from mmseg_custom.runs.made_from import describe_training, photos_of
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


# Where a training can learn of a file: a line of the config, and arguments of train.py.
PLACES = {
    'weights': ('load_from = {0!r}', []),
    'weights of a part': ('model = dict(backbone=dict(init_cfg=dict(checkpoint={0!r})))', []),
    'a model folder': ('load_from = {1!r}', []),
    'a class file beside the config': ("classes = 'model.safetensors'", []),
    'weights as an option': ('', ['--cfg-options', 'randomness.seed=1', 'load_from={0}']),
    'weights of an override': ('', ['--override', '{1}/override.yaml']),
    'annotations as an option': (
        '', ['--cfg-options', 'train_dataloader.dataset.ann_file={0}'],
    ),
    'annotations below the data root': ('', ['--data-root', '{1}']),
    'annotations given later': ('', ['--data-root', '/no', '--train-json', 'a', '{0}']),
}  # fmt: skip


@pytest.mark.parametrize('place', PLACES)
def test_every_file_that_a_training_reads_is_compared_by_content(tmp_path, place):
    """Also where the config names another one, which is not there."""
    line, arguments = PLACES[place]
    read = tmp_path / 'model.safetensors'
    read.write_text('a')
    (tmp_path / 'experiment.json').write_text('{}')
    (tmp_path / 'override.yaml').write_text(f'load_from: {read}\n')
    (tmp_path / 'x.py').write_text(
        'randomness = dict(seed=0)\n'
        'train_dataloader = dict(dataset=dict(data_root="/no", ann_file="model.safetensors"))\n'
        + line.format(str(read), str(tmp_path))
    )
    arguments = [one.format(read, tmp_path) for one in arguments]
    before = described(tmp_path, *arguments)
    assert not differences(before, described(tmp_path, *arguments))
    read.write_text('b')
    (row,) = differences(before, described(tmp_path, *arguments))
    assert row.startswith('  files')


def test_the_photos_of_a_set_named_on_the_command_line_are_compared(tmp_path):
    config, ann = tmp_path / 'x.py', tmp_path / 'mine.json'
    config.write_text('train_dataloader = dict(dataset=dict(data_root="/no", ann_file="a.json"))')
    ann.write_text(json.dumps(dict(images=[dict(file_name='1.jpg')])))
    for options in (
        ['--cfg-options', f'train_dataloader.dataset.ann_file={ann}'],
        ['--data-root', str(tmp_path), '--train-json=mine.json'],
        ['--cfg-options', f'data_root={tmp_path}', 'train_dataloader.dataset.ann_file=mine.json'],
    ):
        command = [sys.executable, 'train.py', str(config), *options]
        assert list(photos_of(str(config), command)) == ['train_dataloader 1.jpg']
