import json

import numpy as np
import pytest
import torch
from conftest import ROOT, call_tool

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.ensemble import EnsembleSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, load_mask, paint
from mmseg_custom.prediction.probabilities import path_of, read_probabilities, write_probabilities

CLASSES = built_in().names

TOOL = 'tools/ensemble.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def folders(toy_set, tmp_path_factory):
    """Three members: noisy truths, noisier ones, and noise."""
    paths = [tmp_path_factory.mktemp(name) for name in ('good', 'fair', 'bad')]
    rng = np.random.default_rng(0)
    for sample in coco_to_samples(json.loads((toy_set / 'val.json').read_text()), built_in()):
        mask = paint(sample['annotations'], sample['height'], sample['width'], fill=0)
        for path, strength in zip(paths, (3.0, 2.0, 0.0), strict=True):
            logits = (mask == np.arange(len(CLASSES))[:, None, None]) * strength
            exp = np.exp(logits + rng.normal(0, 1, logits.shape))
            name = sample['file_name'].removesuffix('.jpg')
            write_probabilities(path_of(path, name), exp / exp.sum(0))
    return paths


def names_of(toy_set):
    return [i['file_name'][:-4] for i in json.loads((toy_set / 'val.json').read_text())['images']]


def test_votes_with_saved_probabilities(folders, toy_set, tmp_path, capsys):
    voters = (toy_set / 'val.json', '--members', *folders)
    weights = ('--weights', 2, 1, 0.5)
    soft, hard = tmp_path / 'soft', tmp_path / 'hard'
    call_tool(capsys, TOOL, 'vote', *voters, *weights, '--out', soft)
    call_tool(capsys, TOOL, 'vote', *voters, '--hard', '--out', hard)
    for name in names_of(toy_set):
        members = [read_probabilities(path_of(folder, name)) for folder in folders]
        mean = np.average(members, axis=0, weights=[2, 1, 0.5])
        found = load_mask(soft / 'masks' / f'{name}.png', 64, 64, built_in())
        assert (found == mean.argmax(0)).mean() > 0.9999
        counts = (np.array([m.argmax(0) for m in members])[..., None] == np.arange(11)).sum(0)
        # Of classes with equally many votes, the one of the higher mean probability.
        tied = counts == counts.max(-1, keepdims=True)
        wanted = np.where(tied, np.mean(members, 0).transpose(1, 2, 0), -1).argmax(-1)
        found = load_mask(hard / 'masks' / f'{name}.png', 64, 64, built_in())
        assert (found == wanted).mean() > 0.9999
        assert np.array_equal(found[tied.sum(-1) == 1], counts.argmax(-1)[tied.sum(-1) == 1])


def test_finds_which_member_to_trust(folders, toy_set, tmp_path, capsys):
    pytest.importorskip('optuna')
    out = tmp_path / 'weights.json'
    command = ['search', toy_set / 'val.json', '--members', *folders, '--trials', 40, '--out', out]
    printed = call_tool(capsys, TOOL, *command).out
    found = json.loads(out.read_text())
    good, fair, bad = found['weights']
    assert good > bad
    assert found['best'] > found['equal'] > found['alone'][2]
    assert found['alone'][0] > found['alone'][1] > found['alone'][2]
    assert f'--weights {good} {fair} {bad}' in printed


def test_predicts_with_several_models(random_checkpoint, toy_set, tmp_path, capsys):
    content = torch.load(random_checkpoint, weights_only=False)
    content['state_dict']['decode_head.conv_seg.weight'].mul_(-0.5)
    torch.save(content, tmp_path / 'b.pth')
    members = [(TOY, random_checkpoint), (TOY, tmp_path / 'b.pth')]
    out = tmp_path / 'out'
    options = [x for member in members for x in ('--model', *member)]
    command = ['predict', toy_set / 'val.json', *options, '--weights', 1, 2, '--out', out]
    call_tool(capsys, TOOL, *command, '--batch-size', 1)
    both = EnsembleSegmenter([TrashSegmenter(*member) for member in members], [1, 2])
    for name in names_of(toy_set):
        expected = both(toy_set / f'{name}.jpg').mask
        assert np.array_equal(
            load_mask(out / 'masks' / f'{name}.png', 64, 64, built_in()), expected
        )


def test_averages_checkpoints_that_can_be_used(random_checkpoint, tmp_path, capsys):
    out = tmp_path / 'soup.pth'
    call_tool(capsys, TOOL, 'average', random_checkpoint, random_checkpoint, '--out', out)
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    one, two = TrashSegmenter(TOY, random_checkpoint)(photo), TrashSegmenter(TOY, out)(photo)
    assert np.array_equal(one.mask, two.mask)
    assert two.classes.names == CLASSES


def test_says_what_is_wrong(folders, toy_set, tmp_path, capsys):
    def error(*command):
        return call_tool(capsys, TOOL, *command, code=2).err

    out = ('--out', tmp_path / 'out')
    vote = ('vote', toy_set / 'val.json', '--members', *folders, *out)
    assert '2 weights for 3 members' in error(*vote, '--weights', 1, 2)
    assert 'give it to predict' in error(*vote, '--tta', 'flip')
    missing = error('vote', toy_set / 'train.json', '--members', folders[0], *out)
    assert 'has no probabilities of' in missing
    folder = toy_set / 'batch_01'
    assert 'batch_01' in error('search', folder, '--members', *folders)
