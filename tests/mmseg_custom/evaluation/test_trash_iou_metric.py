"""The oracles are mmseg's own IoUMetric and scikit-learn's jaccard_score."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.logging import MMLogger
from mmseg.evaluation import IoUMetric
from PIL import Image
from processes import CONTEXT, call_in_file
from sklearn.metrics import f1_score, jaccard_score

from mmseg_custom.classes import built_in
from mmseg_custom.evaluation import TrashIoUMetric
from mmseg_custom.utils import UserError

CLASSES = built_in().names


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
@settings(max_examples=60)
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


def test_a_prediction_outside_the_classes_is_refused_by_the_name_of_the_photo():
    """11 classes, truth 0, prediction 12: folded into one number it would be the pair (1, 1)."""
    truth, prediction = np.zeros((4, 5)), np.full((4, 5), 12)
    assert evaluate(IoUMetric(), [sample(truth, prediction)])['aAcc'] == 0
    entry = sample(truth, prediction) | dict(img_path='a/photo_7.jpg')
    with pytest.raises(UserError, match=r'a/photo_7\.jpg: the prediction has the label 12, out'):
        evaluate(TrashIoUMetric(), [entry])


@pytest.mark.parametrize('num_classes', [11, 20])
@pytest.mark.parametrize('label', [-1, 20, 254, 255, 256, 268])
@pytest.mark.parametrize('what', ['truth', 'prediction'])
def test_any_label_that_is_no_class_is_refused(what, label, num_classes):
    masks = dict(truth=np.ones((4, 5), int), prediction=np.ones((4, 5), int))
    masks[what][2, 3] = label
    metric = TrashIoUMetric()
    metric.dataset_meta = dict(classes=[str(c) for c in range(num_classes)])
    entry = sample(**masks) | dict(img_path='a.jpg')
    if (what, label) == ('truth', 255):  # the ignored label
        metric.process({}, [entry])
        return
    with pytest.raises(UserError, match=rf'a\.jpg: the {what} has the label {label}'):
        metric.process({}, [entry])


@pytest.mark.parametrize('ignore_index', [-1, 0, 10, 300])
def test_another_ignored_label_gives_what_mmseg_gives(ignore_index):
    pairs = [(np.where(t == 255, ignore_index, t), p) for t, p in images(5, range(11))]
    samples = [sample(*pair) for pair in pairs]
    ours = evaluate(TrashIoUMetric(ignore_index=ignore_index), samples)
    theirs = evaluate(IoUMetric(ignore_index=ignore_index), samples)
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=0.006)
    pairs[0][0][0, 0] = 255
    with pytest.raises(UserError, match=f'label 255, but {ignore_index} is the ignored one'):
        evaluate(TrashIoUMetric(ignore_index=ignore_index), [sample(*pairs[0])])


def test_masks_of_two_sizes_are_refused():
    entry = sample(np.zeros((4, 5)), np.zeros((4, 1))) | dict(img_path='a.jpg')
    with pytest.raises(UserError, match=r'a\.jpg: the prediction is 1x4 pixels, the truth 5x4'):
        evaluate(TrashIoUMetric(), [entry])


@pytest.mark.parametrize('nan_to_num', [None, 0, -1])
@pytest.mark.parametrize('classes', [range(11), (0, 3, 7)])
@pytest.mark.parametrize(
    'iou_metrics', ['mIoU', ['mIoU'], ['mDice'], ['mFscore'], ['mIoU', 'mDice', 'mFscore']]
)
def test_arguments_of_mmseg_mean_what_they_mean_there(iou_metrics, classes, nan_to_num):
    options = dict(iou_metrics=iou_metrics, nan_to_num=nan_to_num, beta=2)
    samples = [sample(*pair) for pair in images(2, list(classes))]
    ours = evaluate(TrashIoUMetric(**options), samples)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        theirs = evaluate(IoUMetric(**options), samples)
    assert set(theirs) <= set(ours)
    for name, value in theirs.items():
        np.testing.assert_equal(np.float32(ours[name]), np.float32(value), name)
    if len(classes) < 11:
        assert ours['mIoU_all'] < ours['mIoU'] or nan_to_num is not None


def named(seed, names):
    pairs = images(seed, range(11), count=len(names))
    return [sample(*pair) | dict(img_path=name) for pair, name in zip(pairs, names, strict=True)]


@pytest.mark.parametrize('format_only', [False, True])
def test_masks_are_written_as_by_mmseg(tmp_path, format_only):
    samples, results = named(0, ['b/1.jpg', 'b/2.jpg', 'c/3.png']), []
    for metric_class in (IoUMetric, TrashIoUMetric):
        folder = tmp_path / metric_class.__name__
        metric = metric_class(output_dir=str(folder), format_only=format_only)
        results.append(evaluate(metric, samples))
    theirs, ours = ({p.name: p for p in f.iterdir()} for f in sorted(tmp_path.iterdir()))
    assert sorted(ours) == sorted(theirs) == ['1.png', '2.png', '3.png']
    for name, path in ours.items():
        with Image.open(path) as one, Image.open(theirs[name]) as other:
            np.testing.assert_array_equal(np.array(one), np.array(other))
    assert bool(results[1]) == bool(results[0]) == (not format_only)


def test_two_photos_of_one_name_do_not_share_a_mask(tmp_path):
    metric = TrashIoUMetric(output_dir=str(tmp_path))
    with pytest.raises(UserError, match=r'1\.png: would be the mask of b/1\.jpg and of c/1\.jpg'):
        evaluate(metric, named(0, ['b/1.jpg', 'c/1.jpg']))
    # The sampler repeats photos to give every process the same number.
    evaluate(TrashIoUMetric(output_dir=str(tmp_path)), named(0, ['b/1.jpg', 'b/1.jpg']))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(iou_metrics=['mIoU', 'IoU']), 'take any of mIoU, mDice, mFscore'),
        (dict(collect_device='gpu'), 'no argument collect_device; .* nothing is collected'),
        (dict(format_only=True), 'give output_dir'),
        (dict(reduce_labels=True), 'has no argument reduce_labels'),
    ],
)
def test_other_arguments_are_refused_in_one_message(options, message):
    with pytest.raises(UserError, match=message):
        TrashIoUMetric(**options)


def evaluate_one_of(rank: int, world: int, folder: Path) -> None:
    """Be one of several processes: evaluate a part and write the result."""
    store = f'file://{folder}/store'
    dist.init_process_group('gloo', init_method=store, rank=rank, world_size=world)
    samples = [sample(*pair) for pair in images(3, range(11), count=5)]
    # As DefaultSampler does: rounded up with samples from the start, then every world-th.
    padded = (samples * 2)[: -(-5 // world) * world]
    result = evaluate(TrashIoUMetric(), padded[rank::world], size=5)
    (folder / f'{rank}.json').write_text(json.dumps(result))


@pytest.mark.slow
@pytest.mark.parametrize('world', [2, 3])
def test_several_processes_count_repeated_images_once(tmp_path, world):
    whole = evaluate(TrashIoUMetric(), [sample(*p) for p in images(3, range(11), count=5)])
    processes = [
        CONTEXT.Process(target=call_in_file, args=(__file__, 'evaluate_one_of', *one))
        for one in [(rank, world, tmp_path) for rank in range(world)]
    ]
    for process in processes:
        process.start()
    for rank, process in enumerate(processes):
        process.join(120)
        assert process.exitcode == 0
        assert json.loads((tmp_path / f'{rank}.json').read_text()) == whole
