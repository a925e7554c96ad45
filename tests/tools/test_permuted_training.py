"""Another order of the classes permutes what trainings, tuning and apps give, and nothing else.

Each writer runs twice: with a model of the contest's list, and with the same model in another order
of its classes. What predictions write is in test_any_classes.py.
"""

import io
import json
import re
import shutil
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from class_orders import LISTS, permute
from conftest import ROOT, call_tool, outcome_of
from forked_tools import fork_tools
from mmengine.config import Config
from PIL import Image
from processes import run_to_end
from products import TOY
from shared_builds import assert_unchanged, built_once

from mmseg_custom.classes import ClassList, built_in, class_list
from mmseg_custom.coco import load_mask

PLAIN, TURNED = built_in(), class_list(LISTS['permuted'])
# The label in TURNED of each label in PLAIN.
NEW = np.array([TURNED.label_of(name) for name in PLAIN.names])
ONE_STEP = [
    # Adam's first step follows the sign of a gradient, however small: no step.
    'optim_wrapper.optimizer.lr=0.', 'train_cfg.max_iters=1', 'train_cfg.val_interval=1',
    'default_hooks.logger.interval=1',
    'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
    'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False',
]  # fmt: skip
SECOND = f"""
_base_ = [{str(TOY)!r}, '{ROOT}/configs/_base_/datasets/pseudo.py']
model = dict(type='PseudoEncoderDecoder', pseudo_weight=0.5)
both = [
    _base_.train_dataloader.dataset,
    dict(_base_.pseudo_photos, pipeline=[
        *_base_.load, *_base_.base_augmentation, *_base_.pseudo_pack])]
train_dataloader = dict(
    batch_size=4, sampler=_base_.half_pseudo,
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=both))
"""


@pytest.fixture(scope='session')
def pair(toy_set, random_checkpoint, tmp_path_factory, worker_id):
    """Folders of both lists: one step of an online training, and of a second round."""

    def build(folder: Path) -> None:
        online = (ROOT / 'configs' / 'upernet_swin_trash_online.py').read_text()
        online = online.replace('./upernet_swin_trash.py', str(TOY))
        (folder / 'online.py').write_text(online.replace('./_base_', f'{ROOT}/configs/_base_'))
        (folder / 'second.py').write_text(SECOND)
        for name, classes in (('plain', PLAIN), ('turned', TURNED)):
            train_all(folder, name, classes)

    def train_all(folder: Path, name: str, classes) -> None:
        out = folder / name
        out.mkdir()
        (out / 'list.yaml').write_text(yaml.safe_dump(classes.to_plain(), sort_keys=False))
        first = shutil.copytree(random_checkpoint.parent, out / 'first')
        for path in first.glob('*.pth'):
            permute(path, classes, path)
        data = ['--data-root', toy_set, '--classes', out / 'list.yaml', '--batch-size', 4]
        weights, start = 'model.segmentor.init_cfg', first / random_checkpoint.name
        online = [f'{weights}.type=Pretrained', f'{weights}.checkpoint={start}']
        online += [*ONE_STEP, 'model.threshold=0.5']
        arguments = [folder / 'online.py', '--work-dir', out / 'online', *data, '--cfg-options']
        run_to_end('tools/train.py', *arguments, *online)
        rounds = [TOY, folder / 'second.py', toy_set / 'test.json', '--rounds', 2]
        rounds += ['--first-round', first, '--out', out / 'rounds']
        rounds += ['--label-args', '--threshold 0.5', '--train-args', *data[:4]]
        rounds += ['--val-json', 'val.json', '--cfg-options', *ONE_STEP]
        with pytest.MonkeyPatch.context() as patch:
            fork_tools(patch)
            code, said = outcome_of('tools/self_train.py', *rounds)
        assert code == 0, said

    folder = built_once(tmp_path_factory, worker_id, 'permuted', build)
    yield folder / 'plain', folder / 'turned'
    assert_unchanged(folder)


def turned_back(value: torch.Tensor) -> torch.Tensor:
    """Return a tensor of the turned model in the plain order; only a classifier has 11 rows."""
    return value[torch.from_numpy(NEW)] if value.shape[:1] == (len(NEW),) else value


@pytest.mark.parametrize('run', ['rounds/round_2', 'online'])
def test_a_training_step_is_the_same(pair, run):
    """Loss, gradients, weights, scores."""
    plain, turned = (torch.load(folder / run / 'iter_1.pth', weights_only=False) for folder in pair)
    for one, classes in ((plain, PLAIN), (turned, TURNED)):
        assert tuple(one['meta']['dataset_meta']['classes']) == classes.names
    for name, value in plain['state_dict'].items():
        assert torch.equal(turned_back(turned['state_dict'][name]), value), name
    # After one step these are the gradients.
    first, second = ([one['exp_avg'] for one in run['optimizer']['state'].values()]
                     for run in (plain, turned))  # fmt: skip
    largest = max(float(one.abs().max()) for one in first)
    assert largest > 0 and sum(one.shape[:1] == (len(NEW),) for one in first) == 4
    for expected, found in zip(first, second, strict=True):
        torch.testing.assert_close(turned_back(found), expected, rtol=1e-2, atol=1e-5 * largest)
    logs = [
        json.loads(next((folder / run).glob('*/vis_data/scalars.json')).read_text().split('\n')[0])
        for folder in pair
    ]
    losses = [{k: v for k, v in log.items() if 'loss' in k or 'acc' in k} for log in logs]
    assert losses[0] and losses[0] == pytest.approx(losses[1], rel=1e-4)
    one, two = (json.loads(next((f / run / 'val').iterdir()).read_text()) for f in pair)
    matrix = np.array(two['confusion_matrix'])[np.ix_(NEW, NEW)]
    # A sum of floats in another order has other last digits.
    assert np.abs(matrix - one['confusion_matrix']).sum() <= 10
    assert one['metrics'] == pytest.approx(two['metrics'], abs=0.05)


def test_a_second_round_learns_the_same_labels(pair):
    masks = [sorted((f / 'rounds' / 'round_1' / 'pseudo' / 'masks').rglob('*.png')) for f in pair]
    assert len(masks[0]) == len(masks[1]) == 3
    table = np.full(256, 255, np.uint8)
    table[: len(NEW)] = NEW
    for first, second in zip(*masks, strict=True):
        before, after = load_mask(first, 64, 64, PLAIN), load_mask(second, 64, 64, TURNED)
        assert (table[before] == after).mean() > 0.999
    one, two = (json.loads((f / 'rounds' / 'self_train.json').read_text()) for f in pair)
    scores = [[each['miou'] for each in found['rounds']] for found in (one, two)]
    assert scores[0] == pytest.approx(scores[1], abs=0.05)


def models(pair) -> list[tuple[Path, ClassList]]:
    """Return the model of each list, which train.py wrote."""
    return [
        (folder / 'first' / 'iter_1.pth', classes)
        for folder, classes in zip(pair, (PLAIN, TURNED), strict=True)
    ]


def test_a_search_of_crf_parameters_finds_the_same(pair, toy_set, tmp_path, capsys):
    scores, found = [], []
    for checkpoint, _ in models(pair):
        out = tmp_path / str(len(scores))
        line = ['tools/predict.py', checkpoint, toy_set / 'val.json', '--probabilities']
        call_tool(capsys, *line, '--out', out)
        tune = ['tools/crf.py', out, toy_set / 'val.json', '--tune', 2, '--out', f'{out}.py']
        said = call_tool(capsys, *tune).out
        scores.append([float(one) for one in re.findall(r'(\d+\.\d+) (?:->|\()', said)])
        found.append(Config.fromfile(f'{out}.py').crf.to_dict())
    assert len(scores[0]) == 4
    assert scores[0] == pytest.approx(scores[1], abs=0.03)
    assert found[0] == pytest.approx(found[1])


def test_an_average_of_checkpoints_is_the_same(pair, tmp_path, capsys):
    soups = []
    for checkpoint, classes in models(pair):
        other, out = next(checkpoint.parent.glob('best_*.pth')), tmp_path / f'{len(soups)}.pth'
        line = ['tools/ensemble.py', 'average', checkpoint, other, '--weights', 1, 3]
        call_tool(capsys, *line, '--out', out)
        soups.append(torch.load(out, weights_only=False))
        assert tuple(soups[-1]['meta']['dataset_meta']['classes']) == classes.names
    for name, value in soups[0]['state_dict'].items():
        assert torch.equal(turned_back(soups[1]['state_dict'][name]), value), name


def test_a_server_and_the_guide_say_the_same(pair, toy_set):
    pytest.importorskip('fastapi')
    pytest.importorskip('httpx')
    from fastapi.testclient import TestClient

    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.serving.api import create_app
    from mmseg_custom.serving.guide import create_guide
    from mmseg_custom.serving.rules import read_rules

    photo = min((toy_set / 'batch_02').glob('*.jpg')).read_bytes()
    header = {'content-type': 'image/jpeg'}
    areas, labels = [], []
    for checkpoint, classes in models(pair):
        segmenter = TrashSegmenter(checkpoint, device='cpu')
        with TestClient(create_app(segmenter)) as client:
            answer = client.post('/segment', content=photo, headers=header).json()
        areas.append({one['category']: one['area'] for one in answer['found']})
        rules = read_rules(ROOT / 'apps' / 'rules' / 'en.yaml', classes)
        with TestClient(create_guide(segmenter, [rules], None)) as client:
            answer = client.post('/look', content=photo, headers=header).json()
        labels.append(np.asarray(Image.open(io.BytesIO(b64decode(answer['labels'])))))
    assert len(areas[0]) > 1
    assert areas[0] == pytest.approx(areas[1], abs=4)
    table = np.full(256, 255, np.uint8)
    table[: len(NEW)] = NEW
    assert (table[labels[0]] == labels[1]).mean() > 0.999
