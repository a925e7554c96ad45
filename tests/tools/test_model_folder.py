"""A model folder stands for CONFIG CHECKPOINT in every command, and nothing in it is run."""

import json
import os
import runpy
import shutil

import numpy as np
import pytest
from conftest import ROOT, call_tool
from PIL import Image
from products import ITERS, TOY
from trainings import train

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.checkpoints.meta import checkpoint_meta
from mmseg_custom.experiment.stored import stored_experiment
from mmseg_custom.utils import UserError
from mmseg_custom.utils.model_folder import EXPERIMENT, WEIGHTS

PACKAGE = 'tools/package_model.py'


@pytest.fixture(scope='module')
def about(tmp_path_factory):
    path = tmp_path_factory.mktemp('about') / 'about.md'
    path.write_text('---\nlicense: cc-by-4.0\n---\n\n# A model of drawn trash\n')
    return path


@pytest.fixture
def folder(trained, toy_set, about, tmp_path, capsys):
    """What the tool makes of a checkpoint that the training wrote."""
    made, val = tmp_path / 'model', toy_set / 'val.json'
    checkpoint = trained / f'iter_{ITERS}.pth'
    call_tool(capsys, PACKAGE, checkpoint, '--about', about, '--measure', val, '--out', made)
    return made


def test_the_card_says_what_test_measures(folder, toy_set, tmp_path, capsys):
    arguments = ['--data-root', toy_set, '--out', tmp_path / 'tested']
    call_tool(capsys, 'tools/test.py', folder, *arguments)
    measured = json.loads((tmp_path / 'tested' / 'metrics.json').read_text())
    scores = json.loads((folder / 'scores.json').read_text())[str(toy_set / 'val.json')]
    assert (np.array(scores['confusion']) == measured['confusion_matrix']).all()
    card = (folder / 'README.md').read_text()
    assert card.startswith('---\nlicense: cc-by-4.0\n---\n\n# A model of drawn trash\n')
    assert f'mIoU {scores["mIoU"]:.1f}' in card
    assert sum(sum(row.values()) for row in scores['answers'].values()) <= scores['photos'] == 7


def test_the_folder_answers_as_the_checkpoint(folder, trained, toy_set):
    ours = TrashSegmenter.from_pretrained(folder, device='cpu')
    theirs = TrashSegmenter(trained / f'iter_{ITERS}.pth', device='cpu')
    assert ours.classes == theirs.classes
    for photo in toy_set.glob('batch_03/*.jpg'):
        difference = ours(photo).probabilities - theirs(photo).probabilities
        assert abs(difference).max() < 0.01


def test_nothing_of_the_machine_is_published(folder, toy_set):
    published = [(folder / name).read_bytes() for name in (WEIGHTS, EXPERIMENT)]
    assert not any(str(ROOT).encode() in text for text in published)
    assert not any(str(toy_set).encode() in text for text in published)
    assert 'origin' not in checkpoint_meta(folder / WEIGHTS)


MODEL_COMMANDS = {
    'tools/test.py': (),
    'tools/export.py': ('--out', 'a.onnx'),
    'tools/make_pseudo.py': ('photos', '--out', 'a'),
    'apps/serve.py': (),
    'apps/sorting_guide.py': (),
    'tools/convert_checkpoint.py': ('--out', 'a.pth'),
}


@pytest.mark.parametrize('path', MODEL_COMMANDS)
def test_every_command_takes_it(path, folder):
    parser = runpy.run_path(str(ROOT / path))['build_parser']()
    args = parser.parse_args([str(folder), *MODEL_COMMANDS[path]])
    assert args.checkpoint == str(folder / WEIGHTS)
    assert getattr(args, 'config', None) is None


def test_predict_and_submit(folder, toy_set, tmp_path, capsys):
    photos = toy_set / 'test.json'
    call_tool(capsys, 'tools/predict.py', folder, photos, '--out', tmp_path / 'predicted')
    arguments = [photos, '--model', folder, '--out', tmp_path / 'a.csv']
    call_tool(capsys, 'tools/submit.py', *arguments)
    masks = sorted((tmp_path / 'predicted' / 'masks').rglob('*.png'))
    assert len(masks) == 3
    for mask in masks:
        twin = tmp_path / 'a.csv.predicted' / mask.relative_to(tmp_path / 'predicted')
        assert (np.array(Image.open(mask)) == np.array(Image.open(twin))).all()


def test_results_go_to_work_dirs_and_not_into_the_folder(folder):
    assert stored_experiment(folder / WEIGHTS).work_dir == 'work_dirs/model'


@pytest.mark.parametrize('name', [WEIGHTS, EXPERIMENT])
def test_an_incomplete_folder_is_one_message(name, folder, toy_set, tmp_path, capsys):
    (folder / name).unlink()
    with pytest.raises(UserError, match=f'no {name}'):
        TrashSegmenter.from_pretrained(folder)
    arguments = [folder, toy_set / 'test.json', '--out', tmp_path / 'a']
    assert f'no {name}' in call_tool(capsys, 'tools/predict.py', *arguments, code=2).err


@pytest.mark.parametrize(
    'change',
    [
        lambda e: e['model'].update(type='os.system'),
        lambda e: e['model']['backbone'].update(type='builtins.print'),
        lambda e: e['test_dataloader']['dataset']['pipeline'].insert(0, dict(type='os.getcwd')),
        lambda e: e['model'].update(custom_imports=dict(imports=['antigravity'])),
    ],
)
def test_a_strangers_folder_runs_nothing(change, folder):
    experiment = json.loads((folder / EXPERIMENT).read_text())
    change(experiment)
    (folder / EXPERIMENT).write_text(json.dumps(experiment))
    # Another time stamp than the file that was read before.
    os.utime(folder / WEIGHTS, (1, 1))
    with pytest.raises(UserError, match=r'model\.safetensors'):
        TrashSegmenter.from_pretrained(folder)


def test_from_the_cache_of_the_hub(folder, toy_set, tmp_path, monkeypatch):
    pytest.importorskip('huggingface_hub')
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    cache, commit = tmp_path / 'hub', 'a' * 40
    repository = cache / 'models--someone--trash'
    (repository / 'refs').mkdir(parents=True)
    (repository / 'refs' / 'main').write_text(commit)
    shutil.copytree(folder, repository / 'snapshots' / commit)
    photo = next(toy_set.glob('batch_03/*.jpg'))
    hub = TrashSegmenter.from_pretrained('someone/trash', cache_dir=cache, local_files_only=True)
    assert (hub(photo).mask == TrashSegmenter.from_pretrained(folder)(photo).mask).all()
    with pytest.raises(UserError, match='someone/other: is no folder here'):
        TrashSegmenter.from_pretrained('someone/other', cache_dir=cache, local_files_only=True)


def test_a_training_starts_from_it(folder, toy_set, tmp_path):
    train(
        toy_set,
        tmp_path / 'run',
        options=['train_cfg.max_iters=1', f'load_from={folder}', 'optim_wrapper.optimizer.lr=0'],
    )
    started = TrashSegmenter(TOY, tmp_path / 'run' / 'iter_1.pth', device='cpu')
    photo = next(toy_set.glob('batch_03/*.jpg'))
    theirs = TrashSegmenter.from_pretrained(folder, device='cpu')
    assert abs(started(photo).probabilities - theirs(photo).probabilities).max() < 0.1
