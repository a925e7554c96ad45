"""A model whose weights are damaged stops every command, which names the photo and the model."""

import json

import numpy as np
import pytest
import torch
from conftest import ROOT, call_tool

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.prediction.model_scores import score_model
from mmseg_custom.utils.non_finite import NonFiniteOutput

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def broken(random_checkpoint, tmp_path_factory):
    """A checkpoint that train.py wrote, with one weight that is no number."""
    content = torch.load(random_checkpoint, weights_only=False)
    content['state_dict']['decode_head.conv_seg.weight'][3, 0] = float('nan')
    path = tmp_path_factory.mktemp('broken') / 'broken.pth'
    torch.save(content, path)
    return path


@pytest.fixture(scope='module')
def broken_onnx(broken, tmp_path_factory):
    pytest.importorskip('onnxruntime')
    from mmseg_custom.apis.export import export_onnx

    path = tmp_path_factory.mktemp('onnx') / 'broken.onnx'
    export_onnx(TrashSegmenter(TOY, broken, device='cpu'), path)
    return path


COMMANDS = {
    'predict': lambda toy, model, ann: ['tools/predict.py', *model, ann],
    'predict with TTA': lambda toy, model, ann: ['tools/predict.py', *model, ann, '--tta', 'flip'],
    'submit': lambda toy, model, ann: ['tools/submit.py', ann, '--model', *model],
    'ensemble': lambda toy, model, ann: ['tools/ensemble.py', 'predict', ann, '--model', *model],
    'make_pseudo': lambda toy, model, ann: [
        *('tools/make_pseudo.py', *model, ann, '--exclude', toy / 'train.json')
    ],
    'test': lambda toy, model, ann: ['tools/test.py', *model, '--data-root', toy],
}


@pytest.mark.parametrize('command', COMMANDS)
def test_commands_name_photo_and_model(command, toy_set, broken, tmp_path, capsys):
    ann = toy_set / 'test.json'
    photo = json.loads(ann.read_text())['images'][0]['file_name']
    if command == 'test':
        photo = json.loads((toy_set / 'val.json').read_text())['images'][0]['file_name']
    arguments = COMMANDS[command](toy_set, [TOY, broken], ann)
    error = call_tool(capsys, *arguments, '--out', tmp_path / 'out', code=2).err
    assert 'not finite' in error and str(broken) in error and photo in error
    assert not list(tmp_path.rglob('*.png'))


def test_a_report_names_photo_and_model(toy_set, broken, random_checkpoint, tmp_path, capsys):
    run = ['tools/report.py', random_checkpoint.parent, '--checkpoint', broken]
    run += ['--data-root', toy_set, '--out', tmp_path / 'a.html']
    error = call_tool(capsys, *run, code=2).err
    assert 'not finite' in error and str(broken) in error and 'batch_02/' in error
    assert not (tmp_path / 'a.html').exists()


def test_scores_for_a_card_name_photo_and_model(toy_set, broken):
    with pytest.raises(NonFiniteOutput, match='broken.pth: .*not finite.*batch_02/0000.jpg'):
        score_model(TrashSegmenter(TOY, broken, device='cpu'), toy_set / 'val.json', None)


@pytest.mark.parametrize('how', ['average', 'package'])
def test_weights_are_not_passed_on(how, broken, random_checkpoint, tmp_path, capsys):
    """A mean of one such model is no number either; a published one is no use to anybody."""
    about = tmp_path / 'about.md'
    about.write_text('# A model')
    command = {
        'average': ['tools/ensemble.py', 'average', random_checkpoint, broken],
        'package': ['tools/package_model.py', broken, '--about', about],
    }[how]
    error = call_tool(capsys, *command, '--out', tmp_path / 'out.pth', code=2).err
    assert f'{broken}: its weights decode_head.conv_seg.weight are not finite' in error
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize('command', ['crf', 'vote', 'search', 'tune'])
def test_probabilities_that_are_no_numbers_are_named(
    command, toy_set, random_checkpoint, tmp_path, capsys
):
    """As an earlier version, or another program, may have written them."""
    ann, predicted, out = toy_set / 'val.json', tmp_path / 'in', tmp_path / 'out.py'
    line = ['tools/predict.py', random_checkpoint, ann, '--probabilities', '--out', predicted]
    call_tool(capsys, *line)
    path = predicted / 'probabilities' / 'batch_02' / '0003.npz'
    with np.load(path) as archive:
        content = archive['probabilities']
    content[2, 5, 5] = np.nan
    np.savez(path, probabilities=content)
    line = {
        'crf': ['tools/crf.py', predicted, ann],
        'tune': ['tools/crf.py', predicted, ann, '--tune', 1],
        'vote': ['tools/ensemble.py', 'vote', ann, '--members', predicted],
        'search': ['tools/ensemble.py', 'search', ann, '--members', predicted, '--trials', 1],
    }[command]
    error = call_tool(capsys, *line, '--out', out, code=2).err
    assert f'{path}: holds numbers that are no probabilities' in error
    assert not (out / 'predictions.json').exists() and not out.is_file()


def test_an_exported_model_too(toy_set, broken_onnx, tmp_path, capsys):
    command = ['tools/predict.py', broken_onnx, toy_set / 'test.json', '--out', tmp_path / 'out']
    error = call_tool(capsys, *command, code=2).err
    assert 'not finite' in error and str(broken_onnx) in error and 'batch_03' in error


def test_it_is_not_exported(broken, tmp_path, capsys):
    pytest.importorskip('onnxruntime')
    out = tmp_path / 'a.onnx'
    error = call_tool(capsys, 'tools/export.py', TOY, broken, '--out', out, code=2).err
    assert 'not finite' in error and str(broken) in error
    assert not out.exists()


def test_the_server_answers_with_an_error(broken, toy_set):
    pytest.importorskip('fastapi')
    from fastapi.testclient import TestClient

    from mmseg_custom.serving.api import create_app

    photo = next((toy_set / 'batch_01').glob('*.jpg')).read_bytes()
    with TestClient(create_app(TrashSegmenter(TOY, broken, device='cpu'))) as client:
        answer = client.post('/segment', content=photo, headers={'Content-Type': 'image/jpeg'})
    assert answer.status_code == 500
    assert 'not finite' in answer.json()['detail'] and broken.name in answer.json()['detail']


def test_the_guide_says_so(broken, toy_set):
    pytest.importorskip('fastapi')
    from fastapi.testclient import TestClient

    from mmseg_custom.serving.guide import create_guide
    from mmseg_custom.serving.rules import read_rules

    segmenter = TrashSegmenter(TOY, broken, device='cpu')
    rules = read_rules(ROOT / 'apps' / 'rules' / 'en.yaml', segmenter.classes)
    photo = next((toy_set / 'batch_01').glob('*.jpg')).read_bytes()
    with TestClient(create_guide(segmenter, [rules], None)) as client:
        answer = client.post('/look', content=photo, headers={'Content-Type': 'image/jpeg'})
    assert answer.status_code == 500 and 'not finite' in answer.json()['detail']
