import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import jaccard_score, precision_score, recall_score

from mmseg_custom.evaluation.confusion import (
    boundary_areas,
    boundary_mask,
    class_scores,
    confusion_matrix,
    histogram,
)


def masks(seed, num_classes, height=23, width=31, ignore=0.1):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, num_classes, (height, width)).astype(np.uint8)
    prediction = np.where(rng.random(truth.shape) < 0.5, truth, np.roll(truth, 1))
    truth[rng.random(truth.shape) < ignore] = 255
    return truth, prediction.astype(np.uint8)


@given(st.integers(0, 1000), st.sampled_from([2, 11, 15, 16, 150]), st.sampled_from([0, 0.3, 1]))
@settings(max_examples=60)
def test_confusion_equals_scikit_learn(seed, num_classes, ignore):
    truth, prediction = masks(seed, num_classes, ignore=ignore)
    ours = confusion_matrix(truth, prediction, num_classes)
    kept = truth != 255
    if not kept.any():
        assert not ours.any()
        return
    theirs = sklearn_confusion(truth[kept], prediction[kept], labels=range(num_classes))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize('seed', range(3))
def test_scores_of_classes_equal_scikit_learn(seed):
    truth, prediction = masks(seed, 4, ignore=0)
    # Class 4 is only predicted, 5 is only true, 6 is nowhere.
    prediction[0], truth[1] = 4, 5
    found = class_scores(confusion_matrix(truth, prediction, 7))
    options = dict(labels=range(7), average=None, zero_division=np.nan)
    pair = truth.ravel(), prediction.ravel()
    np.testing.assert_allclose(found['precision'], precision_score(*pair, **options))
    np.testing.assert_allclose(found['recall'], recall_score(*pair, **options))
    np.testing.assert_allclose(
        found['IoU'][:6], jaccard_score(*pair, labels=range(6), average=None)
    )
    assert np.isnan(found['IoU'][6])


def test_large_images_are_counted_exactly():
    """More pixels than a float32 can count one by one."""
    values = np.zeros((2**12 + 3, 2**12), np.uint8)
    assert histogram(values)[0] == values.size


def naive_boundary(mask, distance):
    """The paper's own way: erode each class, with nothing outside the image."""
    boundary = np.zeros(mask.shape, bool)
    for label in np.unique(mask):
        region = cv2.copyMakeBorder((mask == label).astype(np.uint8), 1, 1, 1, 1, 0, value=0)
        eroded = cv2.erode(region, np.ones((3, 3), np.uint8), iterations=distance)
        boundary |= (mask == label) & (eroded[1:-1, 1:-1] == 0)
    return boundary


def blobs(seed, height=60, width=80):
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for label in [*range(1, 6), 255]:
        center = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(mask, center, int(rng.integers(3, 25)), label, -1)
    return mask


@pytest.mark.parametrize('distance', [1, 2, 5])
@pytest.mark.parametrize('seed', range(8))
def test_boundary_equals_erosion_class_by_class(seed, distance):
    mask = blobs(seed)
    np.testing.assert_array_equal(boundary_mask(mask, distance), naive_boundary(mask, distance))


@pytest.mark.parametrize('seed', range(8))
def test_boundary_areas_equal_a_loop_over_the_classes(seed):
    truth, prediction = blobs(seed), blobs(seed + 100)
    prediction[prediction == 255] = 0
    distance = round(0.02 * float(np.hypot(60, 80)))
    counts = boundary_areas(truth, prediction, 6)
    prediction = np.where(truth == 255, 255, prediction).astype(np.uint8)
    in_truth, in_prediction = (naive_boundary(m, distance) for m in (truth, prediction))
    for label in range(6):
        a, b = in_truth & (truth == label), in_prediction & (prediction == label)
        assert counts[:, label].tolist() == [(a & b).sum(), a.sum(), b.sum()]
