"""--max-side: the model sees a shrunk photo, and the labels have the photo's own size."""

import json

import cv2
import numpy as np
import pytest
from conftest import ROOT, call_tool
from PIL import Image

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.coco.convert.submission import read_submission

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
SIDE = 32


@pytest.fixture(scope='module')
def expected(toy_set, random_checkpoint):
    """Labels by file name: pixels of 2x2 share the label that the half-size photo gives them."""
    segmenter = TrashSegmenter(TOY, random_checkpoint, device='cpu')
    content = json.loads((toy_set / 'test.json').read_text())
    found = {}
    for image in content['images']:
        photo = np.asarray(Image.open(toy_set / image['file_name']))
        assert photo.shape == (64, 64, 3)
        small = photo.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
        small = np.floor(small + 0.5).astype(np.uint8)
        found[image['file_name']] = segmenter(small).mask.repeat(2, axis=0).repeat(2, axis=1)
    return found


def run(capsys, tool, toy_set, checkpoint, out, *more):
    inputs = [TOY, checkpoint, toy_set / 'test.json', '--out', out]
    call_tool(capsys, tool, *inputs, '--max-side', SIDE, *more)


def test_predict(expected, toy_set, random_checkpoint, tmp_path, capsys):
    options = ['--probabilities', '--overlays']
    run(capsys, 'tools/predict.py', toy_set, random_checkpoint, tmp_path, *options)
    for name, labels in expected.items():
        stem = name.removesuffix('.jpg')
        mask = np.asarray(Image.open(tmp_path / 'masks' / f'{stem}.png'))
        assert mask.shape == labels.shape
        assert np.mean(mask == labels) > 0.97
        (stored,) = np.load(tmp_path / 'probabilities' / f'{stem}.npz').values()
        assert stored.shape == (11, SIDE, SIDE)
        assert Image.open(tmp_path / 'overlays' / f'{stem}.jpg').size == (SIDE, SIDE)
    images = json.loads((tmp_path / 'predictions.json').read_text())['images']
    assert {(image['height'], image['width']) for image in images} == {(64, 64)}


def test_predictions_of_another_size_are_not_continued(
    expected, toy_set, random_checkpoint, tmp_path, capsys
):
    run(capsys, 'tools/predict.py', toy_set, random_checkpoint, tmp_path)
    inputs = [TOY, random_checkpoint, toy_set / 'test.json', '--out', tmp_path]
    done = call_tool(capsys, 'tools/predict.py', *inputs, code=2)
    assert 'max_side' in done.err


def test_make_pseudo(expected, toy_set, random_checkpoint, tmp_path, capsys):
    out = tmp_path / 'pseudo'
    run(capsys, 'tools/make_pseudo.py', toy_set, random_checkpoint, out, '--threshold', 0)
    for name, labels in expected.items():
        mask = np.asarray(Image.open(out / 'masks' / f'{name.removesuffix(".jpg")}.png'))
        assert mask.shape == labels.shape
        assert np.mean(mask == labels) > 0.97


def test_submit(expected, toy_set, random_checkpoint, tmp_path, capsys):
    model = ['--model', TOY, random_checkpoint, '--max-side', SIDE]
    out = tmp_path / 'a.csv'
    call_tool(capsys, 'tools/submit.py', toy_set / 'test.json', *model, '--out', out)
    for name, mask in read_submission(out):
        enlarged = cv2.resize(expected[name], (256, 256), interpolation=cv2.INTER_NEAREST)
        assert np.mean(mask == enlarged) > 0.97
