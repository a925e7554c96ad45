"""Finished trainings are kept only if nothing that they were made from has changed."""

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, outcome_of
from forked_tools import forked_tools  # noqa: F401
from PIL import Image

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
SELF_TRAIN = ['tools/self_train.py', 'toy.py', 'second.py', 'test.json', '--rounds', 2]
SELF_TRAIN += ['--min-gain', -100, '--label-args', '--threshold 0.1']
TRAIN_ARGUMENTS = ['--classes', 'list.yaml', '--cfg-options', 'load_from=a.pth', 'data_root=.']
COMMANDS = {
    'kfold_train': ['tools/kfold_train.py', 'toy.py', '--folds-dir', 'folds'],
    'ablate': ['tools/ablate.py', 'toy.py', 'second.py', '--seeds', 4],
    'self_train': SELF_TRAIN,
}


def edited_config(name='toy.py'):
    Path(name).write_text(Path(name).read_text() + 'randomness = dict(seed=7)\n')


def replaced_photo(folder):
    path = min(Path(folder).glob('*.jpg'))
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)


def corrected_label(name):
    content = json.loads(Path(name).read_text())
    content['annotations'][0]['segmentation'][0][0] += 1.0
    Path(name).write_text(json.dumps(content))


def other_list():
    Path('list.yaml').write_text(Path('list.yaml').read_text() + 'colors: {Paper: [1, 2, 3]}\n')


def other_start():
    shutil.copy('b.pth', 'a.pth')


CHANGES = {
    'kfold_train': dict(
        config=edited_config,
        photo=partial(replaced_photo, 'batch_01'),
        label=partial(corrected_label, 'folds/kfold_0_train.json'),
        class_file=other_list,
        weights=other_start,
    ),
    'ablate': dict(
        second_config=partial(edited_config, 'second.py'),
        validation_photo=partial(replaced_photo, 'batch_02'),
        label=partial(corrected_label, 'train.json'),
    ),
    'self_train': dict(
        second_config=partial(edited_config, 'second.py'),
        weights=other_start,
        photo_to_label=partial(replaced_photo, 'batch_03'),
    ),
}
# In place of the arguments with which the command has run.
OTHER_ARGUMENTS = {
    'kfold_train': ['--train-args', '--epochs', 3, *TRAIN_ARGUMENTS],
    'ablate': ['--train-args', '--loss', 'focal', *TRAIN_ARGUMENTS],
    'self_train': ['--label-args', '--threshold 0.99', '--train-args', *TRAIN_ARGUMENTS],
}


@pytest.fixture
def world(toy_set, random_checkpoint, tmp_path, monkeypatch):
    """A folder of data, experiments and weights, in which a training takes no time.

    Each training leaves what train.py left after one iteration; that it is started is not the
    subject.
    """
    from mmseg_custom.runs import trials

    world = shutil.copytree(toy_set, tmp_path / 'world')
    monkeypatch.chdir(world)
    Path('toy.py').write_text(f'_base_ = {str(TOY)!r}\n')
    Path('second.py').write_text(
        f'_base_ = {str(TOY)!r}\nphotos = _base_.train_dataloader.dataset\n'
        'train_dataloader = dict(dataset=dict(\n'
        "    _delete_=True, type='ConcatDataset', datasets=[photos, photos]))\n"
    )
    for name in ('a.pth', 'b.pth'):
        Path(name).write_bytes(random_checkpoint.read_bytes() + name.encode())
    Path('list.yaml').write_text(
        (ROOT / 'mmseg_custom' / 'class_lists' / 'recycle_trash.yaml').read_text()
    )
    outcome_of('data_prep/stratified_kfold.py', 'train.json', '--folds', 2, '--out', 'folds')
    started = []

    def train(trial, *_):
        started.append(trial.folder)
        shutil.copytree(random_checkpoint.parent, trial.folder, dirs_exist_ok=True)

    monkeypatch.setattr(trials, '_train', train)
    return started


@pytest.mark.usefixtures('forked_tools')
@pytest.mark.parametrize('command', COMMANDS)
def test_a_finished_training_of_something_else_is_refused(command, world):
    # Forked tools run in another folder.
    line = [Path(one).absolute() if one == 'test.json' else one for one in COMMANDS[command]]
    line += ['--out', Path('out').absolute()]
    arguments = ['--train-args', *TRAIN_ARGUMENTS]
    code, text = outcome_of(*line, *arguments)
    assert code == 0, text
    assert world
    world.clear()
    for name, change in CHANGES[command].items():
        files = [*Path().glob('*.*'), *Path().glob('folds/*'), *Path().glob('batch_*/*')]
        before = {path: path.read_bytes() for path in files}
        change()
        code, text = outcome_of(*line, *arguments)
        assert code == 2, (name, text)
        assert 'holds results of something else' in text or 'made from other files' in text, text
        for path, content in before.items():
            path.write_bytes(content)
        # The same content is the same training, whenever it was written.
        code, text = outcome_of(*line, *arguments)
        assert code == 0, (name, text)
    code, text = outcome_of(*line, *OTHER_ARGUMENTS[command])
    assert code == 2, text
    assert not world
