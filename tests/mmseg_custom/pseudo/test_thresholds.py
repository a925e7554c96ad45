import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_custom.classes import built_in
from mmseg_custom.pseudo import balanced_thresholds, fixed_thresholds
from mmseg_custom.pseudo.thresholds import confidence_histogram
from mmseg_custom.utils import UserError

CLASSES = built_in().names


def photo(seed, side=20):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (side, side)).astype(np.uint8)
    # Few levels, so that many pixels are equally sure.
    return labels, (rng.integers(0, 12, (side, side)) * 5957).astype(np.uint16)


def test_one_number_for_all_and_others_by_class():
    found = fixed_thresholds(['Paper=0.25', '0.5', 'plastic bag=1'], built_in())
    expected = np.full(len(CLASSES), 32768)
    expected[CLASSES.index('Paper')] = round(0.25 * 65535)
    expected[CLASSES.index('Plastic bag')] = 65535
    assert np.array_equal(found, expected)
    assert not fixed_thresholds([], built_in()).any()


@pytest.mark.parametrize('text', ['1.1', '-0.1', 'much', 'Paper=', 'Paper=2', 'nan'])
def test_a_threshold_is_a_share(text):
    with pytest.raises(UserError, match='from 0 to 1'):
        fixed_thresholds([text], built_in())


def test_an_unknown_class_is_named():
    with pytest.raises(UserError, match='Wood'):
        fixed_thresholds(['Wood=0.5'], built_in())


@given(st.integers(0, 10**6), st.floats(0.01, 1.0))
def test_of_each_class_the_surest_portion_stays(seed, portion):
    labels, confidence = photo(seed)
    found = balanced_thresholds(confidence_histogram(labels, confidence, len(CLASSES)), portion)
    for label in range(len(CLASSES)):
        own = sorted(confidence[labels == label].tolist(), reverse=True)
        if own:
            last = own[int(np.ceil(portion * len(own))) - 1]
            assert found[label] == last
        else:
            assert found[label] == 65535


@given(st.integers(0, 10**6))
def test_a_histogram_counts_every_pixel_once(seed):
    labels, confidence = photo(seed)
    counts = confidence_histogram(labels, confidence, len(CLASSES))
    naive = np.zeros_like(counts)
    for label, level in zip(labels.ravel(), confidence.ravel(), strict=True):
        naive[label, level] += 1
    assert np.array_equal(counts, naive)
