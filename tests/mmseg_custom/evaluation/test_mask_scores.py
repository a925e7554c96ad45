import numpy as np
import pytest
import torch

from mmseg_custom.classes import built_in
from mmseg_custom.evaluation import TrashIoUMetric
from mmseg_custom.evaluation.mask_scores import MaskScores
from mmseg_custom.utils import UserError

CLASSES = built_in().names


def masks(seed, labels=9):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, labels, (6, 9), np.uint8).repeat(8, 0).repeat(8, 1)
    prediction = np.roll(truth, 3, axis=1)
    truth[:5] = 255
    return truth, prediction


def test_gives_what_the_metric_gives():
    metric, scores, parts = TrashIoUMetric(), MaskScores(11), [MaskScores(11), MaskScores(11)]
    metric.dataset_meta = dict(classes=CLASSES)
    for seed in range(5):
        truth, prediction = masks(seed)
        scores.add(truth, prediction)
        parts[seed % 2].add(truth, prediction)
        pair = dict(gt_sem_seg=truth, pred_sem_seg=prediction)
        metric.process({}, [{k: dict(data=torch.from_numpy(v)[None]) for k, v in pair.items()}])
    expected = metric.evaluate(5)
    parts[0].merge(parts[1])
    for found in (scores.result(), parts[0].result()):
        assert 100 * found['mIoU'] == pytest.approx(expected['mIoU'], abs=0.006)
        assert 100 * found['mBoundaryIoU'] == pytest.approx(expected['mBoundaryIoU'], abs=0.006)


def test_nothing_to_measure_is_no_number():
    assert np.isnan(MaskScores(11).result()['mIoU'])


def test_a_label_outside_the_classes_is_refused_by_the_name_of_the_photo():
    truth, prediction = masks(0)
    prediction[0, 0] = 11
    with pytest.raises(UserError, match=r'a\.jpg: the prediction has the label 11, outside the 11'):
        MaskScores(11).add(truth, prediction, 'a.jpg')
