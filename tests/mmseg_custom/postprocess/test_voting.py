import numpy as np
import pytest
from scipy import stats

from mmseg_custom.postprocess import hard_vote, soft_vote


def members(count, seed=0):
    rng = np.random.default_rng(seed)
    return list(rng.dirichlet(np.ones(5), (count, 7, 9)).transpose(0, 3, 1, 2).astype(np.float32))


def test_soft_vote_is_the_weighted_mean():
    votes, weights = members(4), [1, 0.5, 0, 2]
    assert np.allclose(soft_vote(votes, weights), np.average(votes, axis=0, weights=weights))
    assert soft_vote(votes, weights).dtype == np.float32


def test_hard_vote_of_equal_weights_is_the_mode():
    votes = members(7)
    mode = stats.mode([vote.argmax(0) for vote in votes], axis=0).mode
    assert np.array_equal(hard_vote(votes, [1] * 7).argmax(0), mode)
    assert np.allclose(hard_vote(votes, [1] * 7).sum(0), 1)


def test_a_heavy_vote_wins():
    votes = members(3)
    assert np.array_equal(hard_vote(votes, [1, 1, 3]).argmax(0), votes[2].argmax(0))


def test_one_weight_a_model():
    with pytest.raises(ValueError):
        soft_vote(members(3), [1, 1])
