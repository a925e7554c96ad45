"""The oracles are mmseg's own IoUMetric and scikit-learn's jaccard_score."""

import json
import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.logging import MMLogger
from mmseg.evaluation import IoUMetric
from sklearn.metrics import f1_score, jaccard_score

from mmseg_custom.coco import CLASSES
from mmseg_custom.evaluation import TrashIoUMetric


def sample(truth, prediction) -> dict:
    tensors = (torch.from_numpy(m.astype(np.int64))[None] for m in (truth, prediction))
    return {k: {'data': t} for k, t in zip(('gt_sem_seg', 'pred_sem_seg'), tensors, strict=True)}


def evaluate(metric, samples, size=None):
    metric.dataset_meta = dict(classes=CLASSES)
    for start in range(0, len(samples), 2):
        metric.process({}, samples[start : start + 2])
    return metric.evaluate(size or len(samples))


def images(seed, classes, count=3, ignore=0.1, shape=(17, 19)):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        truth = rng.choice(classes, shape)
        prediction = np.where(rng.random(shape) < 0.6, truth, rng.choice(classes, shape))
        truth = np.where(rng.random(shape) < ignore, 255, truth)
        yield truth, prediction


SAME_NAME = dict(aAcc='aAcc', mIoU='mIoU', mAcc='mAcc', mF1='mDice')
SAME_NAME |= dict(mPrecision='mPrecision', mRecall='mRecall')


@given(
    st.integers(0, 10_000),
    st.sets(st.integers(0, 10), min_size=1),
    st.sampled_from([0, 0.2, 1]),
)
@settings(max_examples=60, deadline=None)
def test_equals_mmseg_to_the_last_digit(seed, classes, ignore):
    samples = [sample(*pair) for pair in images(seed, sorted(classes), ignore=ignore)]
    ours = evaluate(TrashIoUMetric(), samples)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        theirs = evaluate(IoUMetric(iou_metrics=['mIoU', 'mDice', 'mFscore']), samples)
    for name, their_name in SAME_NAME.items():
        np.testing.assert_equal(np.float32(ours[name]), np.float32(theirs[their_name]), name)


@pytest.mark.parametrize('classes', [range(11), (0, 3, 7), (10,)])
def test_equals_scikit_learn(classes):
    pairs = list(images(1, list(classes)))
    metric = TrashIoUMetric()
    ours = evaluate(metric, [sample(*pair) for pair in pairs])
    truth, prediction = (np.concatenate([p[i].ravel() for p in pairs]) for i in (0, 1))
    kept = truth != 255
    labels = sorted({*truth[kept], *prediction[kept]})
    args = dict(labels=labels, average=None, zero_division=0)
    iou = jaccard_score(truth[kept], prediction[kept], **args)
    per_class = metric.report['per_class']
    np.testing.assert_allclose([per_class['IoU'][c] for c in labels], iou, rtol=1e-6)
    np.testing.assert_allclose(
        [per_class['F1'][c] for c in labels],
        f1_score(truth[kept], prediction[kept], **args),
        rtol=1e-6,
    )
    assert ours['mIoU'] == pytest.approx(100 * iou.mean(), abs=0.0051)
    assert ours['mIoU_all'] == pytest.approx(100 * iou.sum() / 11, abs=0.0051)
    absent = set(range(11)) - set(labels)
    assert all(math.isnan(per_class['IoU'][c]) for c in absent)


def test_an_absent_class_is_stated(capfd):
    MMLogger.get_instance('absent')
    samples = [sample(*pair) for pair in images(0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10])]
    evaluate(TrashIoUMetric(), samples)
    printed = ''.join(capfd.readouterr())
    assert 'absent from truth and predictions: Battery' in printed
    assert 'the other 10 classes' in printed


def test_without_annotations_there_is_nothing_to_measure():
    samples = [sample(*pair) for pair in images(0, [0, 1])]
    for entry in samples:
        del entry['gt_sem_seg']
    assert evaluate(TrashIoUMetric(), samples) == {}


def test_two_evaluations_do_not_mix():
    first, second = ([sample(*p) for p in images(seed, range(11))] for seed in (1, 2))
    metric = TrashIoUMetric()
    evaluate(metric, first)
    assert evaluate(metric, second) == evaluate(TrashIoUMetric(), second)


def test_memory_does_not_grow_with_the_images():
    metric = TrashIoUMetric()
    metric.dataset_meta = dict(classes=CLASSES)
    one = [sample(*next(images(0, range(11))))]
    for _ in range(50):
        metric.process({}, one)
    assert metric.results == []
    held = [v for v in vars(metric).values() if isinstance(v, np.ndarray)]
    assert sum(v.nbytes for v in held) < 10_000


WORKER = """
import sys, json, torch.distributed as dist
sys.path.insert(0, sys.argv[1])
import test_trash_iou_metric as t
rank, world = int(sys.argv[2]), int(sys.argv[3])
dist.init_process_group('gloo', init_method='file://' + sys.argv[4], rank=rank, world_size=world)
samples = [t.sample(*pair) for pair in t.images(3, range(11), count=5)]
# As DefaultSampler does: rounded up with samples from the start, then every world-th.
padded = (samples * 2)[: -(-5 // world) * world]
result = t.evaluate(t.TrashIoUMetric(), padded[rank::world], size=5)
print(json.dumps(result))
"""


@pytest.mark.parametrize('world', [2, 3])
def test_several_processes_count_repeated_images_once(tmp_path, world):
    whole = evaluate(TrashIoUMetric(), [sample(*p) for p in images(3, range(11), count=5)])
    command = [sys.executable, '-W', 'ignore', '-c', WORKER, __file__.rpartition('/')[0]]
    processes = [
        subprocess.Popen([*command, str(r), str(world), tmp_path / 'store'], stdout=-1, text=True)
        for r in range(world)
    ]
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert json.loads(output.splitlines()[-1]) == whole
