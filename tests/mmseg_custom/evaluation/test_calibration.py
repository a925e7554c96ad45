import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from mmseg_custom.evaluation.calibration import confidence_counts, reliability


def photo(seed, ignore=0.2, shape=(13, 17)):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, shape).astype(np.uint8)
    confidence = rng.random(shape, dtype=np.float32) ** 0.5
    prediction = np.where(rng.random(shape) < confidence, truth, (truth + 1) % 4).astype(np.uint8)
    truth[rng.random(shape) < ignore] = 255
    return truth, prediction, confidence


def naive_error(truth, prediction, confidence, bins):
    """Equation 3 of Guo et al., pixel by pixel."""
    members = [[] for _ in range(bins)]
    kept = 0
    for t, p, c in zip(truth.flat, prediction.flat, confidence.flat, strict=True):
        if t != 255:
            kept += 1
            place = next(m for m in range(bins) if c <= (m + 1) / bins or m == bins - 1)
            members[place].append((t == p, float(c)))
    error = 0
    for of_bin in filter(None, members):
        accuracy, sure = (sum(column) / len(of_bin) for column in zip(*of_bin, strict=True))
        error += len(of_bin) / kept * abs(accuracy - sure)
    return error


@given(st.integers(0, 1000), st.sampled_from([1, 5, 15]), st.sampled_from([0, 0.3, 0.99]))
@settings(max_examples=40)
def test_the_error_is_that_of_a_naive_loop(seed, bins, ignore):
    truth, prediction, confidence = photo(seed, ignore)
    found = reliability(confidence_counts(truth, prediction, confidence, bins))
    if (truth == 255).all():
        assert np.isnan(found['ece'])
    else:
        assert found['ece'] == pytest.approx(naive_error(truth, prediction, confidence, bins))


@pytest.mark.parametrize('seed', range(5))
def test_bins_are_those_of_scikit_learn(seed):
    truth, prediction, confidence = photo(seed)
    found = reliability(confidence_counts(truth, prediction, confidence, 10))
    kept = truth != 255
    right = (truth == prediction)[kept]
    accuracy, sure = calibration_curve(right, confidence[kept], n_bins=10)
    filled = found['share'] > 0
    np.testing.assert_allclose(found['accuracy'][filled], accuracy)
    np.testing.assert_allclose(found['confidence'][filled], sure, rtol=1e-6)
    assert np.isnan(found['accuracy'][~filled]).all()
    assert found['share'].sum() == pytest.approx(1)


def test_photos_can_be_summed():
    photos = [photo(seed) for seed in range(4)]
    one_by_one = sum(confidence_counts(*of_photo) for of_photo in photos)
    together = [np.concatenate(arrays) for arrays in zip(*photos, strict=True)]
    np.testing.assert_allclose(one_by_one, confidence_counts(*together))


def test_the_ends_have_their_bins():
    labels = np.zeros((1, 3), np.uint8)
    pixels = confidence_counts(labels, labels, np.array([[0, 0.5, 1]], np.float32), 2)[0]
    assert pixels.tolist() == [2, 1]
