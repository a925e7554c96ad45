import numpy as np
import pytest
import torch
from conftest import ROOT

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.ensemble import EnsembleSegmenter
from mmseg_custom.utils import UserError

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def members(random_checkpoint, tmp_path_factory):
    content = torch.load(random_checkpoint, weights_only=False)
    content['state_dict']['decode_head.conv_seg.weight'].mul_(-0.5)
    other = tmp_path_factory.mktemp('other') / 'b.pth'
    torch.save(content, other)
    return [TrashSegmenter(TOY, path) for path in (random_checkpoint, other)]


def photo_of(seed):
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.mark.parametrize('weights', [None, [1, 3], [0.2, 0]])
def test_soft_votes_are_the_mean(members, weights):
    found = EnsembleSegmenter(members, weights).batch([photo_of(0), photo_of(1)])
    for result, photo in zip(found, (photo_of(0), photo_of(1)), strict=True):
        both = [member(photo).probabilities for member in members]
        expected = np.average(both, axis=0, weights=weights)
        assert np.allclose(result.probabilities, expected, atol=1e-3)
        assert np.array_equal(result.mask, result.probabilities.argmax(0))


def test_hard_votes_are_those_of_the_heavier(members):
    masks = [member(photo_of(2)).mask for member in members]
    assert (masks[0] != masks[1]).any()
    for weights, expected in (([1, 2], masks[1]), ([2, 1], masks[0])):
        found = EnsembleSegmenter(members, weights, hard=True)(photo_of(2))
        assert np.array_equal(found.mask, expected)


def test_says_what_is_wrong(members):
    for weights, reason in (([1], '1 weights for 2'), ([1, -1], 'at least 0'), ([0, 0], 'above 0')):
        with pytest.raises(UserError, match=reason):
            EnsembleSegmenter(members, weights)
