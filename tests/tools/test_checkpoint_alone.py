"""A checkpoint of tools/train.py carries its experiment: it is enough by itself."""

import contextlib
import json
import shutil

import pytest
import torch
from conftest import call_tool
from mmengine.config import Config
from PIL import Image
from products import ITERS, TOY
from trainings import train

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.checkpoints.meta import checkpoint_meta
from mmseg_custom.experiment.stored import stored_experiment
from mmseg_custom.utils import UserError
from mmseg_custom.utils.plain_data import from_json, to_json


@pytest.fixture(scope='module')
def checkpoint(trained):
    return trained / f'iter_{ITERS}.pth'


def changed(checkpoint, path, change):
    """Write a stranger's checkpoint: ours with another experiment."""
    content = torch.load(checkpoint, weights_only=False)
    experiment = from_json(content['meta']['experiment'])
    change(experiment)
    content['meta']['experiment'] = to_json(experiment)
    torch.save(content, path)
    return path


def test_its_experiment_is_what_was_trained(checkpoint, trained, toy_set):
    stored = stored_experiment(checkpoint)
    written = Config.fromfile(trained / 'upernet_swin_toy.py')
    for key in ('train_dataloader', 'val_dataloader', 'val_evaluator', 'classes'):
        assert stored[key] == written[key]
    assert stored.model.decode_head == written.model.decode_head
    assert isinstance(stored.train_dataloader.dataset.pipeline[2].ratio_range, tuple)
    meta = checkpoint_meta(checkpoint)
    assert 'cfg' not in meta
    assert len(meta['validation_photos']) == 7


def test_predict(checkpoint, toy_set, tmp_path, capsys):
    photos = toy_set / 'test.json'
    call_tool(capsys, 'tools/predict.py', checkpoint, photos, '--out', tmp_path / 'alone')
    call_tool(capsys, 'tools/predict.py', TOY, checkpoint, photos, '--out', tmp_path / 'both')
    masks = sorted((tmp_path / 'alone' / 'masks').rglob('*.png'))
    assert len(masks) == 3
    for mask in masks:
        other = tmp_path / 'both' / mask.relative_to(tmp_path / 'alone')
        assert mask.read_bytes() == other.read_bytes()


def test_test(checkpoint, trained, tmp_path, capsys):
    call_tool(capsys, 'tools/test.py', checkpoint, '--out', tmp_path)
    measured = json.loads((tmp_path / 'metrics.json').read_text())['metrics']
    validated = json.loads((trained / 'val' / f'iter_{ITERS:06d}.json').read_text())['metrics']
    assert measured['mIoU'] == validated['mIoU']


def test_export(checkpoint, tmp_path, capsys):
    call_tool(capsys, 'tools/export.py', checkpoint, '--out', tmp_path / 'model.onnx')
    assert (tmp_path / 'model.onnx').is_file()


def test_report(checkpoint, toy_set, tmp_path, capsys):
    alone = tmp_path / 'alone.pth'
    shutil.copy(checkpoint, alone)
    call_tool(capsys, 'tools/report.py', alone, '--out', tmp_path / 'report.html')
    assert (tmp_path / 'report.html').is_file()


RESULTS = {
    'make_pseudo': ('tools/make_pseudo.py', '{m}', '{p}', '--out', '{o}', '--threshold', '0'),
    'submit': ('tools/submit.py', '{p}', '--model', '{m}', '--out', '{o}/s.csv'),
    'ensemble': ('tools/ensemble.py', 'predict', '{p}', '--model', '{m}', '--out', '{o}'),
    'guide': ('apps/sorting_guide.py', '{m}', '--make-rules', '{o}/rules.yaml'),
}


@pytest.mark.parametrize('command', RESULTS)
def test_other_commands_write_what_they_write_with_the_config(
    command, random_checkpoint, toy_set, tmp_path, capsys
):
    found, out = [], tmp_path / 'out'
    for model in ([random_checkpoint], [TOY, random_checkpoint]):
        out.mkdir()
        values = dict(p=toy_set / 'test.json', o=out)
        words = [
            text
            for word in RESULTS[command]
            for text in (model if word == '{m}' else [word.format(**values, m='')])
        ]
        call_tool(capsys, *words)
        files = [path for path in out.rglob('*') if path.is_file()]
        found.append(
            {
                path.relative_to(out).as_posix(): path.read_bytes()
                for path in files
                if path.name not in ('provenance.json', 'pseudo.json')
            }
        )
        shutil.rmtree(out)
    assert found[0] and found[0] == found[1]


@pytest.mark.parametrize(
    ('app', 'module', 'name'),
    [('serve', 'api', 'create_app'), ('sorting_guide', 'guide', 'create_guide')],
)
def test_what_is_served_is_the_same_model(
    app, module, name, random_checkpoint, toy_set, capsys, monkeypatch
):
    server = pytest.importorskip('mmseg_custom.serving.server')
    module = pytest.importorskip(f'mmseg_custom.serving.{module}')
    served = []
    monkeypatch.setattr(server, 'listen', lambda host, port: contextlib.nullcontext())
    monkeypatch.setattr(server, 'serve', lambda app, listener: None)
    monkeypatch.setattr(module, name, lambda segmenter, *_, **options: served.append(segmenter))
    for model in ([random_checkpoint], [TOY, random_checkpoint]):
        call_tool(capsys, f'apps/{app}.py', *model)
    photo = next(toy_set.glob('batch_03/*.jpg'))
    alone, both = (segmenter(photo) for segmenter in served)
    assert (alone.probabilities == both.probabilities).all()
    assert served[0].classes.names == served[1].classes.names


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_a_converted_checkpoint_carries_it_too(suffix, checkpoint, toy_set, tmp_path, capsys):
    out = tmp_path / f'small{suffix}'
    call_tool(capsys, 'tools/convert_checkpoint.py', checkpoint, '--out', out)
    assert stored_experiment(out).model == stored_experiment(checkpoint).model
    photo = next(toy_set.glob('batch_03/*.jpg'))
    ours, theirs = TrashSegmenter(out)(photo), TrashSegmenter(checkpoint)(photo)
    assert (ours.mask == theirs.mask).all()


def test_what_is_given_and_differs_is_reported(checkpoint, toy_set, tmp_path, capsys):
    own = tmp_path / 'own.py'
    shrink = "dict(type='Resize', scale=(32, 32), keep_ratio=True)"
    own.write_text(
        f'_base_ = {str(TOY)!r}\n'
        f'test_dataloader = dict(dataset=dict(pipeline=[_base_.load[0], {shrink}, *_base_.pack]))\n'
    )
    photos = toy_set / 'test.json'
    said = call_tool(capsys, 'tools/predict.py', own, checkpoint, photos, '--out', tmp_path / 'a')
    (line,) = [line for line in said.out.splitlines() if 'other values than trained' in line]
    assert 'test_dataloader.dataset.pipeline' in line
    said = call_tool(capsys, 'tools/test.py', checkpoint, '--out', tmp_path / 'b')
    assert 'other values than trained' not in said.out


@pytest.mark.parametrize(
    'change',
    [
        lambda e: e['model'].update(type='os.system'),
        lambda e: e['model']['backbone'].update(type='builtins.print'),
        lambda e: e['test_dataloader']['dataset']['pipeline'].insert(0, dict(type='os.getcwd')),
        lambda e: e['test_dataloader'].update(collate_fn=dict(type='shutil.rmtree')),
        lambda e: e['model'].update(custom_imports=dict(imports=['antigravity'])),
        lambda e: e.update(default_scope='antigravity'),
    ],
)
def test_a_strangers_checkpoint_runs_nothing(change, checkpoint, tmp_path):
    with pytest.raises(UserError, match=r'stranger\.pth'):
        stored_experiment(changed(checkpoint, tmp_path / 'stranger.pth', change))


@pytest.mark.parametrize('key', ['custom_imports', 'custom_hooks', 'visualizer', 'optim_wrapper'])
def test_what_a_trained_model_does_not_need_is_not_taken(key, checkpoint, tmp_path):
    path = changed(
        checkpoint, tmp_path / 'stranger.pth', lambda e: e.update({key: [dict(type='os.system')]})
    )
    assert 'os.system' not in stored_experiment(path).pretty_text


@pytest.mark.parametrize('text', ['import os', '[]', '{"model": 3}', '{"__tuple__": 3}'])
def test_a_broken_experiment_is_one_message(text, checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=False)
    content['meta']['experiment'] = text
    torch.save(content, tmp_path / 'broken.pth')
    with pytest.raises(UserError, match=r'broken\.pth'):
        stored_experiment(tmp_path / 'broken.pth')


def test_one_without_its_experiment_asks_for_the_config(checkpoint, toy_set, tmp_path, capsys):
    content = torch.load(checkpoint, weights_only=False)
    torch.save(dict(state_dict=content['state_dict']), tmp_path / 'bare.pth')
    arguments = [tmp_path / 'bare.pth', toy_set / 'test.json', '--out', tmp_path / 'out']
    said = call_tool(capsys, 'tools/predict.py', *arguments, code=2)
    assert 'CONFIG CHECKPOINT' in said.err
    call_tool(capsys, 'tools/predict.py', TOY, *arguments)


def test_the_validation_set_of_the_training_is_not_forgotten(toy_set, tmp_path, capsys):
    """With another validation set than the config's, also for a photo that was saved again."""
    data = shutil.copytree(toy_set, tmp_path / 'data')
    train_set = json.loads((data / 'train.json').read_text())
    held_out, rest = train_set['images'][:6], train_set['images'][6:]
    for name, images in (('fold_val', held_out), ('fold_train', rest)):
        ids = {image['id'] for image in images}
        annotations = [one for one in train_set['annotations'] if one['image_id'] in ids]
        content = dict(train_set, images=images, annotations=annotations)
        (data / f'{name}.json').write_text(json.dumps(content))
    folds = ['--val-json', 'fold_val.json', '--train-json', 'fold_train.json']
    train(data, tmp_path / 'run', *folds, options=['train_cfg.max_iters=1'])
    # one of them comes back as a JPEG of another quality, one smaller
    photos = [data / image['file_name'] for image in held_out[:2]]
    with Image.open(photos[0]) as photo:
        photo.convert('RGB').save(tmp_path / 'again.jpg', quality=70)
    shutil.move(tmp_path / 'again.jpg', photos[0])
    arguments = [tmp_path / 'run' / 'iter_1.pth', data / 'train.json', '--out', data / 'pseudo']
    call_tool(capsys, 'tools/make_pseudo.py', *arguments)
    manifest = json.loads((data / 'pseudo' / 'pseudo.json').read_text())
    expected = [image['file_name'].removesuffix('.jpg') for image in held_out]
    assert sorted(manifest['excluded']) == sorted(expected)
    assert manifest['excluded_alike'] == [expected[0]]


def test_training_on_validation_photos_is_refused(toy_set, tmp_path):
    leak = ['--val-json', 'train.json']
    error = train(toy_set, tmp_path / 'run', *leak, code=2).stderr
    assert '24 of 24 validation photos are also trained on' in error
    assert '--allow-leak' in error
    one = ['train_cfg.max_iters=1']
    train(toy_set, tmp_path / 'run', *leak, '--allow-leak', options=one)


def test_a_copy_of_a_validation_photo_is_a_leak_too(toy_set, tmp_path):
    data = shutil.copytree(toy_set, tmp_path / 'data')
    first = json.loads((data / 'train.json').read_text())['images'][0]['file_name']
    other = json.loads((data / 'val.json').read_text())['images'][0]['file_name']
    shutil.copy(data / other, data / first)
    error = train(data, tmp_path / 'run', code=2).stderr
    assert '1 of 7 validation photos are also trained on' in error
    assert first in error
