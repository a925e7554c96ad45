import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, call_tool
from forked_tools import forked_tools  # noqa: F401

from mmseg_custom.apis import TrashSegmenter

TOOL = 'tools/self_train.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def pseudo_config(tmp_path_factory):
    path = tmp_path_factory.mktemp('configs') / 'toy_pseudo.py'
    path.write_text(f"""
_base_ = ['{TOY}', '{ROOT}/configs/_base_/datasets/pseudo.py']
model = dict(type='PseudoEncoderDecoder', pseudo_weight=0.5)
both = [
    _base_.train_dataloader.dataset,
    dict(_base_.pseudo_photos, pipeline=[
        *_base_.load, *_base_.base_augmentation, *_base_.pseudo_pack]),
]
train_dataloader = dict(
    sampler=_base_.half_pseudo,
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=both))
""")
    return path


@pytest.mark.slow
@pytest.mark.usefixtures('forked_tools')
def test_rounds_until_nothing_is_gained(toy_set, pseudo_config, tmp_path, capsys):
    work = tmp_path / 'work'
    options = [toy_set / 'test.json', '--out', work, '--rounds', 3]
    options += ['--min-gain', 200]
    options += ['--label-args', f'--threshold 0.1 --exclude {toy_set / "val.json"}']
    train = ['--batch-size', 4, '--epochs', 1, '--data-root', toy_set, '--val-json', 'val.json']
    train += ['--cfg-options', 'train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
    start = [TOOL, TOY, pseudo_config]
    command = [*start, *options, '--train-args', *train]
    printed = call_tool(capsys, *command).out
    rounds = json.loads((work / 'self_train.json').read_text())['rounds']
    # No round gains 200 %, so that the second is the last.
    assert [one['number'] for one in rounds] == [1, 2]
    assert printed.count('round ') == 2
    manifest = json.loads((work / 'round_1' / 'pseudo' / 'pseudo.json').read_text())
    best = Path(rounds[0]['checkpoint']).read_bytes()
    assert manifest['members'][0]['sha256'] == hashlib.sha256(best).hexdigest()
    log = next((work / 'round_2').glob('*/vis_data/scalars.json')).read_text()
    assert 'pseudo.decode.loss_ce' in log
    # Self-training is of the plain experiment's kind.
    photo = np.zeros((64, 64, 3), np.uint8)
    assert TrashSegmenter(TOY, rounds[1]['checkpoint'])(photo).mask.shape == (64, 64)
    times = {path: path.stat().st_mtime_ns for path in work.rglob('*.pth')}
    call_tool(capsys, *command)
    assert {path: path.stat().st_mtime_ns for path in work.rglob('*.pth')} == times

    # A first round that is there already: labeled, and not trained.
    first, other = tmp_path / 'first', tmp_path / 'other'
    shutil.copytree(work / 'round_1', first, ignore=shutil.ignore_patterns('pseudo'))
    options += ['--first-round', first]
    again = [*start, *options, '--out', other, '--rounds', 2, '--train-args', *train]
    call_tool(capsys, *again)
    assert [path.name for path in (other / 'round_1').iterdir()] == ['pseudo']
    manifest = json.loads((other / 'round_1' / 'pseudo' / 'pseudo.json').read_text())
    labelled = other / 'round_1' / 'pseudo' / manifest['members'][0]['checkpoint']
    assert labelled.resolve().parent == first.resolve()
    found = json.loads((other / 'self_train.json').read_text())['rounds']
    assert [one['miou'] for one in found] == [one['miou'] for one in rounds]
    # The same weights in another place are the same; other weights are not.
    best = next(path for path in first.glob('*.pth') if path.name == labelled.name)
    content = torch.load(best, weights_only=False)
    content['state_dict']['decode_head.conv_seg.bias'] += 1
    torch.save(content, best)
    error = call_tool(capsys, *again, code=2).err
    assert 'labeled by' in error
    assert '--out' in error


@pytest.mark.usefixtures('forked_tools')
def test_what_went_wrong_is_named(toy_set, pseudo_config, tmp_path, capsys):
    command = [TOOL, TOY, pseudo_config, toy_set / 'test.json']
    command += ['--out', tmp_path, '--train-args', '--data-root', tmp_path / 'nowhere']
    assert 'nowhere' in call_tool(capsys, *command, code=2).err
    command = [*command[:4], '--first-round', tmp_path, '--out', tmp_path / 'work']
    assert 'there is no checkpoint' in call_tool(capsys, *command, code=2).err
