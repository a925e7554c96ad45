import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_custom.coco.stats.class_weights import METHODS, class_weights
from mmseg_custom.utils import UserError

COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12).map(np.array)


def normalized(raw):
    return [value / statistics.fmean(raw) for value in raw]


def test_inverse_by_hand():
    # Shares 1/8, 1/4, 5/8: 8, 4, 8/5.
    expected = normalized([8, 4, 1.6])
    np.testing.assert_allclose(class_weights([10, 20, 50], 'inverse'), expected)


def test_median_by_hand():
    counts = [[60, 40, 0], [90, 0, 10], [100, 0, 0]]
    # Class 0 in all 300 pixels; class 1 in the first 100, class 2 in the second 100.
    shares = [Fraction(250, 300), Fraction(40, 100), Fraction(10, 100)]
    expected = normalized([float(Fraction(40, 100) / share) for share in shares])
    np.testing.assert_allclose(class_weights(counts, 'median'), expected)


def test_enet_by_hand():
    expected = normalized([1 / math.log(1.02 + share) for share in (0.05, 0.15, 0.8)])
    np.testing.assert_allclose(class_weights([5, 15, 80], 'enet'), expected)


@pytest.mark.parametrize('beta', [0, 0.5, 0.99, 0.9999])
def test_effective_by_hand(beta):
    # The effective number is the geometric series 1 + beta + beta ** 2 + … of n terms.
    expected = normalized([1 / sum(beta**i for i in range(n)) for n in (1, 7, 100)])
    np.testing.assert_allclose(class_weights([1, 7, 100], 'effective', beta), expected)


def test_effective_keeps_its_digits():
    # Up to 1e-7 of it, n pixels are n effective ones when beta is that near to 1.
    found = class_weights([1, 1000], 'effective', 1 - 1e-12)
    assert found[0] / found[1] == pytest.approx(1000, rel=1e-4)


@pytest.mark.parametrize('method', METHODS)
def test_a_class_without_pixels_weighs_one_and_changes_no_other(method):
    found = class_weights([[30, 0, 5, 0], [7, 0, 60, 0]], method)
    np.testing.assert_array_equal(found[[1, 3]], 1)
    np.testing.assert_allclose(found[[0, 2]], class_weights([[30, 5], [7, 60]], method))
    np.testing.assert_array_equal(class_weights([0, 0], method), 1)


@given(COUNTS, st.sampled_from(METHODS))
def test_weights_have_the_mean_one_and_the_rarer_class_never_weighs_less(counts, method):
    found = class_weights(counts, method)
    occurs = counts > 0
    assert found.shape == counts.shape
    assert found.dtype == np.float64
    assert (found > 0).all()
    if occurs.any():
        assert found[occurs].mean() == pytest.approx(1)
    in_order = found[occurs][np.argsort(counts[occurs])]
    assert (np.diff(in_order) <= 1e-9 * in_order[1:]).all()


@given(COUNTS, st.sampled_from(METHODS), st.floats(0.01, 20))
def test_the_cap_holds_and_leaves_smaller_weights_alone(counts, method, cap):
    free = class_weights(counts, method)
    capped = class_weights(counts, method, max_weight=cap)
    occurs = counts > 0
    assert (capped[occurs] <= cap).all()
    np.testing.assert_array_equal(capped[free <= cap], free[free <= cap])


@given(COUNTS, st.sampled_from(['inverse', 'median', 'enet']), st.integers(2, 1000))
def test_shares_count_and_not_numbers(counts, method, times):
    np.testing.assert_allclose(class_weights(times * counts, method), class_weights(counts, method))


@given(COUNTS)
def test_one_image_has_the_same_median_as_inverse_weights(counts):
    np.testing.assert_allclose(class_weights(counts, 'median'), class_weights(counts, 'inverse'))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(method='log'), "'log': take one of inverse, median, enet, effective"),
        (dict(method='effective', beta=1.0), r'beta 1\.0'),
        (dict(method='effective', beta=-0.1), r'beta -0\.1'),
        (dict(method='effective', beta=math.nan), 'beta nan'),
        (dict(method='enet', max_weight=0), 'max_weight above 0'),
        (dict(method='enet', max_weight=math.nan), 'max_weight above 0'),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        class_weights([1, 2], **options)
