"""Folds are a partition, keep groups together, and have the classes of the full set."""

import json

import numpy as np
import pytest
from conftest import coco
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from sklearn.model_selection import KFold

from mmseg_custom.classes import built_in
from mmseg_custom.coco import (
    find_problems,
    fold_shares,
    max_deviation,
    paint,
    pixel_counts,
    plain_folds,
    read_coco,
    require_annotated,
    split_content,
    stratified_folds,
)
from mmseg_custom.coco.read import coco_to_samples
from mmseg_custom.coco.sampling.folds import fold_labels, recipe_labels
from mmseg_custom.coco.stats.class_counts import class_counts
from mmseg_custom.utils import UserError

CLASSES = built_in().names

SQUARE = [2, 2, 9, 2, 9, 9, 2, 9]


def long_tail(images: int = 3272, seed: int = 0) -> np.ndarray:
    """Annotations of each class in each image; about as skewed as the contest's."""
    rng = np.random.default_rng(seed)
    held = (0.2, 0.38, 0.06, 0.045, 0.045, 0.14, 0.065, 0.33, 0.008, 0.016)
    mean = np.array([1.5, 3, 1.2, 1.6, 1.4, 2, 2.2, 2, 2, 1.6])
    present = rng.random((images, 10)) < held
    counts = np.where(present, rng.geometric(1 / mean, (images, 10)), 0)
    return np.pad(counts, ((0, 0), (1, 0)))


def content_of(counts: np.ndarray) -> dict:
    """A COCO object with these ``(images, 11)`` annotations and ids that are no places."""
    images = [
        dict(id=100 + 3 * i, file_name=f'{i}.png', height=16, width=16) for i in range(len(counts))
    ]
    annotations = [
        dict(image_id=100 + 3 * row, category_id=6 + label, segmentation=[SQUARE], area=49)
        for row, label in np.argwhere(counts)
        for _ in range(counts[row, label])
    ]
    annotations = [
        dict({k: int(v) if k.endswith('id') else v for k, v in a.items()}, id=5 + 2 * i, iscrowd=0)
        for i, a in enumerate(annotations)
    ]
    return coco(images, annotations, CLASSES[1:]) | dict(info=dict(year=1), licenses=[dict(id=0)])


def small_counts():
    row = st.lists(st.sampled_from([0, 0, 0, 0, 1, 2, 9]), min_size=10, max_size=10)
    rows = st.lists(row, min_size=2, max_size=30)
    return rows.map(lambda rows: np.pad(np.array(rows), ((0, 0), (1, 0))))


def missing(counts, fold_of, folds):
    """Classes that a fold lacks though enough images hold them."""
    held = counts > 0
    enough = held.sum(axis=0) >= folds
    return [f for f in range(folds) if (enough & ~held[fold_of == f].any(axis=0)).any()]


@settings(max_examples=25)
@given(small_counts(), st.integers(2, 5), st.integers(0, 2**33))
def test_folds_are_a_partition_of_sound_files(tmp_path_factory, counts, folds, seed):
    content = content_of(counts)
    if folds > len(counts):
        with pytest.raises(UserError, match='take fewer folds'):
            stratified_folds(counts, folds, seed)
        return
    fold_of = stratified_folds(class_counts(content, built_in()), folds, seed)
    path = tmp_path_factory.getbasetemp() / 'fold.json'
    seen = []
    for train, val in split_content(content, fold_of, folds):
        for part in (train, val):
            assert list(find_problems(part, built_in())) == []
            assert list(part) == list(content)
            assert all(part[k] == content[k] for k in ('info', 'licenses', 'categories'))
            path.write_text(json.dumps(part))
            assert sorted(COCO(str(path)).imgs) == [image['id'] for image in part['images']]
        ids = [[image['id'] for image in part['images']] for part in (train, val)]
        assert min(map(len, ids)) > 0
        assert sorted(ids[0] + ids[1]) == [image['id'] for image in content['images']]
        both = sorted(train['annotations'] + val['annotations'], key=lambda a: a['id'])
        assert both == content['annotations']
        seen += ids[1]
    assert sorted(seen) == [image['id'] for image in content['images']]
    sizes = np.bincount(fold_of, minlength=folds)
    assert sizes.max() - sizes.min() <= 1


@settings(max_examples=25)
@given(small_counts(), st.data())
def test_groups_stay_in_one_fold(counts, data):
    numbers = data.draw(st.lists(st.integers(0, 6), min_size=len(counts), max_size=len(counts)))
    groups = np.unique(numbers, return_inverse=True)[1]
    if groups.max() < 1:
        with pytest.raises(UserError, match='near-duplicates'):
            stratified_folds(counts, 2, 0, groups)
        return
    fold_of = stratified_folds(counts, 2, 0, groups)
    assert all(len(set(fold_of[groups == group])) == 1 for group in groups)
    assert set(fold_of) == {0, 1}


def median_gain(counts, seeds=10):
    found = [
        [max_deviation(counts, split(5, seed), 5) for seed in range(seeds)]
        for split in (
            lambda folds, seed: plain_folds(len(counts), folds, seed),
            lambda folds, seed: stratified_folds(counts, folds, seed),
        )
    ]
    return np.median(found[0]) / np.median(found[1])


def test_real_photos_have_three_times_better_folds_than_kfold(real_sample):
    counts = class_counts(read_coco(real_sample / 'train_all.json'), built_in())
    assert median_gain(counts) >= 3
    for seed in range(10):
        assert missing(counts, stratified_folds(counts, 5, seed), 5) == []


@pytest.mark.slow
def test_a_long_tail_has_three_times_better_folds_than_kfold():
    counts = long_tail()
    assert median_gain(counts, seeds=3) >= 3
    fold_of = stratified_folds(counts, 5, 0)
    assert missing(counts, fold_of, 5) == []
    np.testing.assert_array_equal(fold_of, stratified_folds(counts, 5, 0))


def test_the_three_labels_by_hand():
    counts = np.zeros((4, 11), np.int64)
    counts[0, 2], counts[1, 2], counts[2, 2], counts[2, 5] = 1, 1, 6, 1
    labels = recipe_labels(counts)
    # Rarest: Paper, Paper, Glass, none. Numbers of classes: 1, 1, 2, 0. Annotations: 1, 1, 7, 0.
    assert labels.shape == (4, 3 + 3 + 3)
    assert (labels.sum(axis=1) == 3).all()
    np.testing.assert_array_equal(labels[0], labels[1])
    assert not (labels[0] & labels[2]).any()
    assert not (labels[0] & labels[3]).any()
    # Paper occurs up to 6 times (5 of the levels are at most that), Glass once.
    assert fold_labels(counts).shape[1] == 9 + 5 + 1


def test_plain_folds_are_scikit_learns():
    for images, folds, seed in ((50, 5, 0), (13, 4, 7)):
        fold_of = plain_folds(images, folds, seed)
        splits = KFold(folds, shuffle=True, random_state=seed).split(np.zeros(images))
        for fold, (_, val) in enumerate(splits):
            np.testing.assert_array_equal(np.flatnonzero(fold_of == fold), val)


def test_shares_and_deviation_by_hand():
    counts, fold_of = np.array([[1, 0], [1, 2], [0, 4]]), np.array([0, 0, 1])
    np.testing.assert_allclose(fold_shares(counts, fold_of, 2), [[0.5, 0.5], [0, 1]])
    assert max_deviation(counts, fold_of, 2) == pytest.approx(0.25)


def test_counts_are_pycocotools(toy_set):
    content, api = read_coco(toy_set / 'val.json'), COCO(str(toy_set / 'val.json'))
    counts, pixels = class_counts(content, built_in()), pixel_counts(content, built_in())
    for row, sample in enumerate(coco_to_samples(content, built_in())):
        for category, label in ((c['id'], CLASSES.index(c['name'])) for c in api.cats.values()):
            found = api.getAnnIds(imgIds=[sample['img_id']], catIds=[category])
            assert counts[row, label] == len(found)
        mask = paint(sample['annotations'], sample['height'], sample['width'], fill=0)
        assert [int((mask == label).sum()) for label in range(11)] == pixels[row].tolist()


def test_images_whose_classes_are_unknown_are_refused():
    content = content_of(long_tail(3))
    for broken, message in (
        (content | dict(images=[]), 'no image'),
        ({k: v for k, v in content.items() if k != 'annotations'}, '"annotations"'),
        (content | dict(images=[content['images'][0] | dict(seg_map_path='m.png')]), 'mask file'),
    ):
        with pytest.raises(UserError, match=f'a.json: .*{message}'):
            require_annotated('a.json', broken)


def test_one_fold_is_none():
    with pytest.raises(UserError, match='2 folds or more'):
        stratified_folds(long_tail(9), 1, 0)
