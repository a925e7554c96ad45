"""The study of self-training on frozen features, on features that are made up."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks import self_training_arms
from benchmarks.frozen_head import SIDE, FrozenSet
from benchmarks.mixed_heads import train_mixed, train_online
from benchmarks.second_round_arms import hold_back
from benchmarks.self_training_arms import Arm, Seed, class_thresholds
from mmseg_custom.classes import make_class_list


@pytest.fixture(scope='module')
def data() -> FrozenSet:
    """Twenty photos whose left half is background; the other half has one of two classes."""
    rng = np.random.default_rng(0)
    labels = np.zeros((20, SIDE, SIDE), np.uint8)
    kind = rng.integers(1, 3, 20)
    labels[:, :, SIDE // 2 :] = kind[:, None, None]
    levels = []
    for channels, side in ((24, 24), (40, 12), (112, 6), (320, 3)):
        level = rng.normal(0, 0.1, (20, channels, side, side))
        level[..., side // 2 :] += (3 - 2 * kind)[:, None, None, None] * np.linspace(
            -1, 1, channels
        )[:, None, None]
        levels.append(torch.from_numpy(level.astype(np.float32)))
    views = (levels, [level.flip(-1) for level in levels])
    return FrozenSet([], make_class_list(['Background', 'a', 'b']), views, labels)


def test_a_student_learns_from_pseudo_labels_alone_what_no_label_shows(data):
    first = [place for place in range(20) if data.labels[place].max() == 1]
    second = [place for place in range(20) if data.labels[place].max() == 2]
    without = train_mixed(data, data.labels, first, (), 0, 30)
    with_them = train_mixed(data, data.labels, first, second, 0, 30)
    features = [level[second] for level in data.views[0]]
    # With the statistics of these photos: both kinds are far apart, unlike those of a real set.
    answers = [head.train()(features).argmax(dim=1) for head in (without, with_them)]
    right = [float((answer[..., 6:] == 2).float().mean()) for answer in answers]
    assert right[0] == 0
    assert right[1] > 0.8


def test_the_online_start_is_not_changed_and_the_teacher_moves(data):
    start = train_mixed(data, data.labels, list(range(10)), (), 0, 5)
    before = {name: value.clone() for name, value in start.state_dict().items()}
    teacher = train_online(data, list(range(10)), list(range(10, 20)), 0, 5, start)
    for name, value in start.state_dict().items():
        assert torch.equal(value, before[name])
    moved = [(value - before[name]).abs().max() for name, value in teacher.state_dict().items()]
    assert max(moved) > 0


def test_thresholds_keep_the_surest_half_of_each_class():
    rng = np.random.default_rng(3)
    found = rng.integers(0, 3, (4, 50, 50)).astype(np.uint8)
    confidence = rng.random((4, 50, 50)) * np.array([1.0, 0.5, 0.2])[found]
    limits = class_thresholds(found, confidence, Arm(threshold=0.0, balanced=0.5), 3)
    for label in range(3):
        kept = confidence[found == label] >= limits[label]
        assert kept.mean() == pytest.approx(0.5, abs=0.01)
        assert limits[label] == pytest.approx(np.median(confidence[found == label]), abs=1e-3)
    fixed = class_thresholds(found, confidence, Arm(threshold=0.7), 3)
    assert fixed.tolist() == [0.7] * 3


def test_nothing_that_looks_like_a_held_back_photo_is_trained_on():
    groups = np.array([0, 1, 2, 3, 4, 0, 5, 6, 7, 8])
    parts = [hold_back(groups, seed) for seed in range(5)]
    assert sorted(place for tested, _ in parts for place in tested) == list(range(10))
    for tested, rest in parts:
        assert not set(groups[tested]) & set(groups[rest])


def test_quality_counts_what_is_labeled_and_right(data):
    seed = SimpleNamespace(data=data, unlabeled=[0, 1])
    labels = data.labels.copy()
    labels[0, : SIDE // 2] = 255
    labels[1, :, : SIDE // 4] = 2
    found = Seed.quality(seed, labels)
    assert found['labeled'] == 0.75
    assert found['right'] == pytest.approx(1 - (0.25 / 2) / 0.75, abs=1e-3)


def test_a_larger_teacher_labels_with_its_own_features_for_the_student(data, monkeypatch):
    samples = [dict(img_path=str(place)) for place in range(20)]
    monkeypatch.setattr(self_training_arms, 'duplicate_groups', lambda paths: np.arange(len(paths)))
    small = replace(data, samples=samples)
    # One level has other channels, as that of a larger backbone.
    views = tuple([*view[:-1], view[-1].repeat(1, 2, 1, 1)] for view in data.views)
    large = replace(small, views=views)
    asked = []
    seed = Seed(small, lambda: asked.append(1) or large, 2, 0, 3)
    plain = seed.measure('class-balanced')
    assert not asked
    larger = seed.measure('class-balanced, larger teacher')
    assert asked
    assert larger['labeled'] == pytest.approx(0.5, abs=0.02)
    # The teacher alone is another network: its head takes features that the student's cannot.
    assert seed.measure('larger teacher') != seed.measure('teacher')
    assert seed.head(0, 3, True).convs[-1].conv.in_channels == 640
    assert seed.head(0, 3).convs[-1].conv.in_channels == 320
    assert plain.keys() == larger.keys() == {'mIoU', 'labeled', 'right'}
