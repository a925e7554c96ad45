"""The photos and the model that come with the project."""

import json

import numpy as np
import pytest
from conftest import ROOT, call_tool

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.coco import duplicate_groups, read_coco
from mmseg_custom.prediction.model_scores import score_model
from mmseg_custom.utils.model_folder import weights_path

SAMPLES = ROOT / 'samples' / 'recycle_trash'
WEIGHTS = ROOT / 'weights' / 'trash11'
MODELS = sorted(path.parent for path in (ROOT / 'weights').glob('*/model.safetensors'))
ATTRIBUTED = dict(trash11=('Upstage', 'projetannuel'), garbage6=('projetannuel',))


def size_of(folder) -> int:
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())


def test_they_are_small():
    assert size_of(SAMPLES) <= 5e6
    assert size_of(ROOT / 'weights') <= 8e6


def test_the_split_has_every_photo_once_and_no_near_duplicate():
    train, val = (read_coco(SAMPLES / f'{name}.json')['images'] for name in ('train', 'val'))
    names = [image['file_name'] for image in (*train, *val)]
    assert len(train) >= 40
    assert sorted(names) == sorted(str(p.relative_to(SAMPLES)) for p in SAMPLES.rglob('*.jpg'))
    groups = duplicate_groups([SAMPLES / name for name in names])
    assert len(set(groups)) == len(names)


def test_licenses_are_named():
    assert 'CC BY 4.0' in str(read_coco(SAMPLES / 'val.json')['licenses'])
    assert {folder.name for folder in MODELS} == set(ATTRIBUTED)
    for folder in MODELS:
        card = (folder / 'README.md').read_text()
        for name in (*ATTRIBUTED[folder.name], 'creativecommons.org/licenses/by/4.0'):
            assert name in card
    assert 'Upstage' in (SAMPLES / 'README.md').read_text()


def test_the_card_is_measured():
    """What the card says of the samples is what the shipped weights do."""
    said = json.loads((WEIGHTS / 'scores.json').read_text())['samples/recycle_trash/val.json']
    segmenter = TrashSegmenter.from_pretrained(WEIGHTS, device='cpu')
    found = score_model(segmenter, SAMPLES / 'val.json', None)
    assert found.miou == pytest.approx(said['mIoU'], abs=0.3)
    assert found.foreground_iou == pytest.approx(said['foreground_IoU'], abs=0.3)
    assert np.array(said['confusion']).sum() == found.confusion.sum()


@pytest.mark.parametrize('folder', MODELS, ids=lambda folder: folder.name)
def test_each_model_finds_an_object(folder):
    """The cup of this photo is all trash that there is."""
    segmenter = TrashSegmenter.from_pretrained(folder, device='cpu')
    mask = segmenter(SAMPLES / 'batch_01' / '0025.jpg').mask
    found = mask != segmenter.classes.background
    assert 0.1 < found.mean() < 0.6
    assert found[250, 200]
    assert not found[20, 20]


@pytest.mark.parametrize('folder', MODELS, ids=lambda folder: folder.name)
def test_each_card_says_what_was_measured(folder):
    card = (folder / 'README.md').read_text()
    scores = json.loads((folder / 'scores.json').read_text())
    assert scores
    for path, said in scores.items():
        assert f'{path}' in card
        assert f'mIoU {said["mIoU"]}' in card
        # What the weights are published for.
        assert said['mIoU'] == pytest.approx(np.mean(list(said['IoU'].values())), abs=0.06)


def test_demo(tmp_path, capfd):
    short = ['train_cfg.max_iters=1', 'param_scheduler.0.end=1', 'train_dataloader.batch_size=2']
    arguments = ['--model', WEIGHTS, '--out', tmp_path / 'demo', '--cfg-options', *short]
    said = call_tool(capfd, 'tools/demo.py', *arguments).out
    assert (tmp_path / 'demo' / 'contact_sheet.png').is_file()
    assert '| before | after |' in said
    # The training's own mIoU counts classes that are only found, too.
    assert '| mean of these 8 ' in said
    assert 'Classes without an object in these photos are left out' in said
    assert 'make app' in said
    assert 'UserWarning' not in said
    assert weights_path(WEIGHTS).endswith('.safetensors')
