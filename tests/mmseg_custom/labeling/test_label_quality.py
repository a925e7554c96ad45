import math

import numpy as np
import pytest

from mmseg_custom.labeling.label_quality import (
    judge_objects,
    missing_objects,
    swapped_scores,
)
from mmseg_custom.labeling.photo_quality import photo_quality, softmin

SIDE = 64


def seen(mask, classes=4, sure=0.94):
    """Probabilities of a model that sees a mask."""
    rest = (1 - sure) / (classes - 1)
    return np.where(np.arange(classes)[:, None, None] == mask, sure, rest).astype(np.float32)


def square(label=1, start=20, end=40, mask=None):
    mask = np.zeros((SIDE, SIDE), np.uint8) if mask is None else mask
    mask[start:end, start:end] = label
    return mask


@pytest.mark.parametrize('temperature', [0.05, 0.1, 1.0])
def test_softmin_is_the_published_formula(temperature):
    values = np.random.default_rng(0).random(50).astype(np.float32)
    weights = [math.exp((1 - float(value)) / temperature) for value in values]
    expected = sum(float(v) * w for v, w in zip(values, weights, strict=True)) / sum(weights)
    assert softmin(values, temperature) == pytest.approx(expected, rel=1e-6)


def test_softmin_does_not_overflow():
    assert softmin(np.array([0.0, 1.0]), 1e-6) == pytest.approx(0)
    assert softmin(np.full(9, 0.3)) == pytest.approx(0.3)


def test_photo_quality_is_that_of_cleanlab():
    rank = pytest.importorskip('cleanlab.segmentation.rank', reason='cleanlab is not installed')
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), (4, 8, 9)).transpose(0, 3, 1, 2).astype(np.float32)
    labels = rng.integers(0, 3, (4, 8, 9))
    expected, _ = rank.get_label_quality_scores(labels, probabilities, verbose=False)
    found = [
        photo_quality(mask.astype(np.uint8), one, 255)
        for mask, one in zip(labels, probabilities, strict=True)
    ]
    assert found == pytest.approx(expected, rel=1e-4)


def test_ignored_pixels_do_not_count():
    mask = square(2)
    probabilities = seen(square(1))
    ignored = np.where(mask == 2, 255, mask).astype(np.uint8)
    assert photo_quality(mask, probabilities, 255) < 0.2
    assert photo_quality(ignored, probabilities, 255) == pytest.approx(0.94, abs=1e-6)
    assert photo_quality(np.full_like(mask, 255), probabilities, 255) == 1


def test_another_class_is_seen_in_an_object():
    places = square(1) + square(1, 2, 10) * 2
    objects = judge_objects(places, [1, 2], seen(square(3) + square(2, 2, 10)), 0)
    wrong, right = objects
    assert (wrong.place, wrong.label, right.place, right.label) == (0, 1, 1, 2)
    assert wrong.means == pytest.approx([0.02, 0.02, 0.02, 0.94], abs=1e-4)
    assert right.means == pytest.approx([0.02, 0.02, 0.94, 0.02], abs=1e-4)
    # Both have the outline that the model sees.
    assert max(wrong.outline, right.outline) < 0.2


def test_swapped_scores_are_those_of_plain_loops():
    rng = np.random.default_rng(0)
    means, labels = rng.dirichlet(np.ones(4), 30), rng.integers(1, 4, 30)
    part = [[one[c] / sum(one[1:]) for c in range(4)] for one in means.tolist()]
    typical = {c: np.mean([part[i][c] for i in range(30) if labels[i] == c]) for c in (1, 2, 3)}
    scores, suggested = swapped_scores(means, labels, 0)
    for i, label in enumerate(labels.tolist()):
        ratios = {c: part[i][c] / typical[c] for c in (1, 2, 3)}
        assert scores[i] == pytest.approx(1 - ratios[label] / sum(ratios.values()))
        others = {c: ratio for c, ratio in ratios.items() if c != label}
        assert suggested[i] == max(others, key=others.get)


def test_a_swapped_class_is_found_also_without_a_background():
    means = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.7, 0.1, 0.2], [0.9, 0.05, 0.05]])
    scores, suggested = swapped_scores(means, np.array([0, 1, 2, 0]), None)
    assert scores.argmax() == 2 or scores[2] > 0.4
    assert suggested[2] == 0
    assert swapped_scores(np.empty((0, 3)), np.empty(0, int), 0)[0].shape == (0,)


def test_an_outline_is_the_worse_the_farther_it_is_off():
    probabilities = seen(square(1, 20, 40))
    scores = [
        judge_objects(square(1, 20 + off, 40 + off), [1], probabilities, 0)[0].outline
        for off in (0, 3, 6)
    ]
    assert scores == sorted(scores)
    assert scores[2] > scores[0] + 0.3
    sure = seen(square(1, 20, 40), sure=1.0)
    assert judge_objects(square(1, 20, 40), [1], sure, 0)[0].outline == pytest.approx(0)
    # Two more columns than the model sees: 40 of 440 pixels; it sees the object in the other 400.
    wider = square(1, 20, 40)
    wider[20:40, 40:42] = 1
    expected = 40 / 440 * 400 / 440
    assert judge_objects(wider, [1], sure, 0)[0].outline == pytest.approx(expected)
    # Nothing is held against a label where the model is unsure.
    assert judge_objects(wider, [1], seen(square(1, 20, 40), classes=2, sure=0.5), 0)[
        0
    ].outline == pytest.approx(0)


def test_no_outline_is_blamed_for_what_the_model_sees_all_around_or_not_at_all():
    label = square(1, 20, 40)
    everywhere, nowhere = np.ones_like(label), np.zeros_like(label)
    for model in (everywhere, nowhere):
        (found,) = judge_objects(label, [1], seen(model, sure=1.0), 0)
        assert found.outline == pytest.approx(0)
    # An outline that is too small by three pixels everywhere is to blame.
    (found,) = judge_objects(label, [1], seen(square(1, 17, 43), sure=1.0), 0)
    assert found.outline > 0.5


def test_what_nothing_covers_is_missing():
    mask = square(1)
    there = square(2, 48, 60, square(1))
    (found,) = missing_objects(mask, seen(there), 0)
    assert found.suggested == 2
    assert np.array_equal(found.mask > 0, there == 2)
    assert found.score > 0.8
    # Beside a label, it is a matter of the label's outline.
    assert missing_objects(mask, seen(square(1, 20, 41)), 0) == []
    assert missing_objects(mask, seen(mask), 0) == []
    assert missing_objects(mask, seen(there), None) == []


def test_a_hidden_object_is_not_judged():
    assert [one.place for one in judge_objects(square(1) * 2, [1, 1], seen(square(1)), 0)] == [1]
