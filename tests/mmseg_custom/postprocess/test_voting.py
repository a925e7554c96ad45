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
    counts = np.array([sum(vote.argmax(0) == label for vote in votes) for label in range(5)])
    is_clear = (counts == counts.max(0)).sum(0) == 1
    found, mode = hard_vote(votes, [1] * 7).argmax(0), stats.mode([v.argmax(0) for v in votes]).mode
    assert np.array_equal(found[is_clear], mode[is_clear])
    # Of classes with equally many votes, the likelier one.
    likelier = np.where(counts == counts.max(0), soft_vote(votes, [1] * 7), -1).argmax(0)
    assert np.array_equal(found, likelier) and not is_clear.all()
    assert np.allclose(hard_vote(votes, [1] * 7).sum(0), 1)


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('vote', [soft_vote, hard_vote])
def test_another_order_of_the_classes_permutes_the_vote(vote, seed):
    """Two members of equal weight: ties everywhere."""
    votes, order = members(2, seed), np.random.default_rng(seed).permutation(5)
    permuted = vote([one[order] for one in votes], [1, 1])
    assert np.array_equal(permuted, vote(votes, [1, 1])[order])
    assert np.array_equal(order[permuted.argmax(0)], vote(votes, [1, 1]).argmax(0))


def test_a_heavy_vote_wins():
    votes = members(3)
    assert np.array_equal(hard_vote(votes, [1, 1, 3]).argmax(0), votes[2].argmax(0))


def test_one_weight_a_model():
    with pytest.raises(ValueError):
        soft_vote(members(3), [1, 1])
