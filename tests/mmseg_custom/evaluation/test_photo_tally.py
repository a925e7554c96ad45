import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from mmseg_custom.evaluation.calibration import confidence_counts
from mmseg_custom.evaluation.photo_tally import PhotoTally
from mmseg_custom.utils import UserError

CLASSES = 5


def photo(seed, shape=(9, 11)):
    rng = np.random.default_rng(seed)
    # Class 4 is nowhere.
    probabilities = rng.dirichlet(np.ones(CLASSES - 1), shape).transpose(2, 0, 1)
    probabilities = np.concatenate([probabilities, np.zeros((1, *shape))])
    truth = rng.integers(0, CLASSES - 1, shape).astype(np.uint8)
    truth[0, 0] = 255
    return truth, probabilities.argmax(axis=0).astype(np.uint8), probabilities


def test_photos_are_scored_and_summed_as_by_scikit_learn():
    tally, photos = PhotoTally(CLASSES), [photo(seed) for seed in range(4)]
    for truth, prediction, probabilities in photos:
        score = tally.add(truth, prediction, probabilities)
        kept = truth != 255
        pair = truth[kept], prediction[kept]
        ious = jaccard_score(*pair, average=None)
        assert score.class_ious == pytest.approx(dict(enumerate(ious)))
        assert score.iou == pytest.approx(ious.mean())
        assert score.accuracy == pytest.approx(accuracy_score(*pair))
    truths, predictions = (np.concatenate([p[i].ravel() for p in photos]) for i in (0, 1))
    kept = truths != 255
    whole = confusion_matrix(truths[kept], predictions[kept], labels=range(CLASSES))
    np.testing.assert_array_equal(tally.confusion, whole)
    expected = sum(confidence_counts(t, p, q.max(axis=0)) for t, p, q in photos)
    np.testing.assert_allclose(tally.confidence, expected)


def test_a_photo_of_ignored_pixels_has_no_score():
    truth, prediction, probabilities = photo(0)
    tally = PhotoTally(CLASSES)
    score = tally.add(np.full_like(truth, 255), prediction, probabilities)
    assert np.isnan(score.iou)
    assert np.isnan(score.accuracy)
    assert score.class_ious == {}
    assert not tally.confusion.any()


def test_a_label_outside_the_classes_is_refused_by_the_name_of_the_photo():
    truth, prediction, probabilities = photo(0)
    prediction[2, 2] = 255  # a pseudo label without confidence
    with pytest.raises(UserError, match=r'a\.jpg: the prediction has the label 255, outside the 5'):
        PhotoTally(CLASSES).add(truth, prediction, probabilities, 'a.jpg')
