import json

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, jaccard_score

from mmseg_custom.runs.ablation import class_ious, gain_interval, summarize
from mmseg_custom.runs.trials import Trial
from mmseg_custom.visualization.ablation import draw_ablation

LABELS = range(4)


def draw_pixels(seed, absent=3):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.integers(0, 4, (2, 500))
    truth[truth == absent] = prediction[prediction == absent] = 0
    return truth, prediction


def write_result(trial, truth, prediction, seconds=1.0):
    folder = trial.folder / 'val'
    folder.mkdir(parents=True)
    confusion = confusion_matrix(truth, prediction, labels=LABELS).tolist()
    content = dict(iter=8, max_iters=8, seconds=seconds, classes=list('abcd'))
    (folder / 'iter_000008.json').write_text(json.dumps(content | dict(confusion_matrix=confusion)))


def test_ious_are_scikit_learns():
    truth, prediction = draw_pixels(0)
    ious = class_ious(confusion_matrix(truth, prediction, labels=LABELS))
    expected = jaccard_score(truth, prediction, labels=[0, 1, 2], average=None)
    assert ious[:3] == pytest.approx(expected)
    assert np.isnan(ious[3])


def test_folds_are_pooled_and_seeds_averaged(tmp_path):
    trials, means = [], {}
    for name in ('first', 'second'):
        for seed in (0, 1, 2):
            pixels = []
            for fold in (0, 1):
                trial = Trial(f'{name}.py', seed, fold, tmp_path / f'{name}{seed}{fold}')
                # Class 3 occurs in the second fold only.
                pixels.append(draw_pixels([len(name), seed, fold], absent=3 - 6 * fold))
                write_result(trial, *pixels[-1], seconds=0.5 + fold)
                trials.append(trial)
            truth, prediction = np.concatenate(pixels, axis=1)
            iou = jaccard_score(truth, prediction, labels=LABELS, average='macro')
            means.setdefault(name, []).append(100 * iou)
    first, second = summarize(trials)
    assert (first['name'], second['name']) == ('first', 'second')
    for row in (first, second):
        assert row['mIoU'] == pytest.approx(means[row['name']])
        assert row['mean'] == pytest.approx(np.mean(means[row['name']]))
        assert row['std'] == pytest.approx(np.std(means[row['name']], ddof=1))
        assert row['seconds'] == 1.0
        assert None not in row['per_class']
        assert np.mean(row['per_class']) == pytest.approx(row['mean'])
    assert first['gain'] == 0
    assert second['gain'] == pytest.approx(np.mean(means['second']) - np.mean(means['first']))
    draw_ablation(tmp_path / 'a.png', [first, second])
    assert Image.open(tmp_path / 'a.png').width == 900


def test_one_seed_has_no_spread_and_absent_classes_no_iou(tmp_path):
    trial = Trial('a.py', 0, None, tmp_path)
    write_result(trial, *draw_pixels(1), seconds=None)
    (row,) = summarize([trial])
    assert row['std'] == 0
    assert row['seconds'] is None
    assert row['per_class'][3] is None
    assert np.mean(row['per_class'][:3]) == pytest.approx(row['mean'])


def test_the_interval_of_a_gain_is_that_of_a_naive_bootstrap():
    def arm(quality):
        def draw(number):
            rng = np.random.default_rng(number)
            truth = rng.integers(0, 4, 500)
            right = rng.random(500) < quality + 0.02 * number
            return confusion_matrix(truth, np.where(right, truth, 0), labels=LABELS)

        return np.array([draw(number) for number in range(6)])

    first, second = arm(0.5), arm(0.6)[::-1]
    rng, gains = np.random.default_rng(5), []
    for _ in range(5000):
        drawn = [int(rng.integers(6)) for _ in range(6)]
        totals = (sum(part[number] for number in drawn) for part in (first, second))
        old, new = (
            np.mean([t[k, k] / (t[k].sum() + t[:, k].sum() - t[k, k]) for k in LABELS])
            for t in totals
        )
        gains.append(100 * (new - old))
    low, high = gain_interval(first, second)
    assert [low, high] == pytest.approx(np.percentile(gains, [2.5, 97.5]), abs=0.6)
    assert low < np.mean(gains) < high
    assert gain_interval(first, first) == [0, 0]
    assert gain_interval(first[:1], second[:1]) is None
