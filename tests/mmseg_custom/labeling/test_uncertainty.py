import math

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy

from mmseg_custom.labeling.uncertainty import (
    MEASURES,
    PhotoUncertainty,
    photo_scores,
    photo_uncertainty,
)


@pytest.fixture
def members():
    logits = np.random.default_rng(0).normal(0, 2, (3, 4, 5, 6))
    return softmax(logits, axis=1)


def naive(members, measure):
    """The value of each pixel, in plain loops."""
    number, classes, height, width = members.shape
    found = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            of_pixel = [[float(members[m, c, y, x]) for c in range(classes)] for m in range(number)]
            mean = [sum(one[c] for one in of_pixel) / number for c in range(classes)]
            if measure == 'margin':
                ranked = sorted(mean)
                found[y, x] = 1 - (ranked[-1] - ranked[-2])
                continue
            found[y, x] = scipy_entropy(mean) / math.log(classes)
            if measure == 'disagreement':
                # Mutual information as the mean Kullback-Leibler divergence from the mean.
                found[y, x] = sum(scipy_entropy(one, mean) for one in of_pixel) / number
                found[y, x] /= math.log(classes)
    return found


@pytest.mark.parametrize('measure', MEASURES)
def test_measures_are_what_plain_loops_give(measure, members):
    assert MEASURES[measure](members) == pytest.approx(naive(members, measure), abs=1e-9)


@pytest.mark.parametrize('measure', MEASURES)
def test_extremes(measure):
    sure = np.zeros((2, 3, 2, 2))
    sure[:, 1] = 1
    assert MEASURES[measure](sure) == pytest.approx(0, abs=1e-9)
    split = np.zeros((3, 3, 2, 2))
    split[np.arange(3), np.arange(3)] = 1
    assert MEASURES[measure](split) == pytest.approx(1, abs=1e-9)


def test_what_is_kept_of_a_photo_sums_to_its_mean(members):
    for measure in MEASURES:
        kept = photo_uncertainty(members, measure)
        assert kept.by_class.sum() == pytest.approx(naive(members, measure).mean())
        assert kept.shares == pytest.approx(members.mean(axis=(0, 2, 3)))


def test_a_rare_class_counts_as_much_as_a_common_one():
    def photo(by_class, shares):
        return PhotoUncertainty(np.array(by_class), np.array(shares))

    # The background is everywhere; the second photo has the one object of the pool.
    pool = [photo([0.20, 0], [1, 0]), photo([0.10, 0.02], [0.9, 0.1]), photo([0.15, 0], [1, 0])]
    assert photo_scores(pool, class_aware=False).argmax() == 0
    assert photo_scores(pool, class_aware=True).argmax() == 1
    # Of each class: its part divided by its mean share, 2.9 / 3 and 0.1 / 3; then the mean.
    expected = (0.10 / (2.9 / 3) + 0.02 / (0.1 / 3)) / 2
    assert photo_scores(pool, class_aware=True)[1] == pytest.approx(expected)
