"""Another order of the classes permutes what trainings, tuning and apps give, and nothing else.

Each writer runs twice: with a model of the contest's list, and with the same model in another order
of its classes. What predictions write is in test_any_classes.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from class_orders import LISTS, permute
from conftest import ROOT
from forked_tools import forked_tools  # noqa: F401
from processes import run_to_end
from products import TOY
from shared_builds import assert_unchanged, built_once

from mmseg_custom.classes import built_in, class_list
from mmseg_custom.coco import load_mask

PLAIN, TURNED = built_in(), class_list(LISTS['permuted'])
# The label in TURNED of each label in PLAIN.
NEW = np.array([TURNED.label_of(name) for name in PLAIN.names])
ONE_STEP = [
    'train_cfg.max_iters=1', 'train_cfg.val_interval=1', 'default_hooks.logger.interval=1',
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
    """Folders of both lists: a model, one step of an online training, and two rounds."""

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
        permute(random_checkpoint, classes, out / 'start.pth')
        data = ['--data-root', toy_set, '--classes', out / 'list.yaml', '--batch-size', 4]
        weights = 'model.segmentor.init_cfg'
        start = [f'{weights}.type=Pretrained', f'{weights}.checkpoint={out / "start.pth"}']
        teacher = [folder / 'online.py', '--work-dir', out / 'online', *data]
        teacher += ['--cfg-options', *ONE_STEP, *start, 'model.threshold=0.5']
        run_to_end('tools/train.py', *teacher)
        rounds = [TOY, folder / 'second.py', toy_set / 'test.json', '--rounds', 2]
        rounds += ['--out', out / 'rounds']
        rounds += ['--label-args', '--threshold 0.5', '--train-args', *data[:4]]
        rounds += ['--val-json', 'val.json', '--cfg-options', *ONE_STEP]
        rounds += [f'load_from={out / "start.pth"}']
        run_to_end('tools/self_train.py', *rounds)

    folder = built_once(tmp_path_factory, worker_id, 'permuted', build)
    yield folder / 'plain', folder / 'turned'
    assert_unchanged(folder)


def turned_back(value: torch.Tensor) -> torch.Tensor:
    """Return a tensor of the turned model in the plain order; only a classifier has 11 rows."""
    return value[torch.from_numpy(NEW)] if value.shape[:1] == (len(NEW),) else value


@pytest.mark.parametrize('run', ['rounds/round_1', 'rounds/round_2', 'online'])
def test_a_training_step_is_the_same(pair, run):
    """Loss, gradients, weights, scores: also of an online training and of a second round."""
    plain, turned = (torch.load(folder / run / 'iter_1.pth', weights_only=False) for folder in pair)
    for one, classes in ((plain, PLAIN), (turned, TURNED)):
        assert tuple(one['meta']['dataset_meta']['classes']) == classes.names
    assert sum(value.shape[:1] == (len(NEW),) for value in plain['state_dict'].values()) >= 4
    for name, value in plain['state_dict'].items():
        torch.testing.assert_close(turned_back(turned['state_dict'][name]), value)
    states = [one['optimizer']['state'] for one in (plain, turned)]
    for number, state in states[0].items():
        # After one step these are the gradients.
        found = turned_back(states[1][number]['exp_avg'])
        scale = float(state['exp_avg'].abs().max())
        torch.testing.assert_close(found, state['exp_avg'], rtol=1e-2, atol=1e-3 * scale + 1e-9)
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
