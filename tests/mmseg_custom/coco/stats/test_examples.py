import numpy as np
import pytest
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import read_coco
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.stats.class_counts import class_counts
from mmseg_custom.coco.stats.examples import MIN_PIXELS, choose_examples, object_entry, object_mask
from mmseg_custom.coco.stats.label_facts import measure_labels

CLASSES = built_in().names


@pytest.fixture
def toy(toy_set):
    samples = labelled_samples(toy_set / 'train.json', built_in())
    return samples, measure_labels(samples, built_in())


def test_examples_are_objects_of_their_class_and_none_twice(toy):
    _, facts = toy
    chosen = choose_examples(facts, 5, 0, built_in())
    assert len(chosen) == len(CLASSES)
    assert chosen[0] == []
    for label, numbers in enumerate(chosen):
        areas = facts.areas[facts.labels == label]
        large = (areas >= MIN_PIXELS).sum()
        assert len(set(numbers)) == len(numbers) == min(5, large or len(areas))
        assert (facts.labels[numbers] == label).all()
        assert not large or (facts.areas[numbers] >= MIN_PIXELS).all()


def test_the_seed_chooses(toy):
    _, facts = toy
    assert choose_examples(facts, 5, 0, built_in()) == choose_examples(facts, 5, 0, built_in())
    assert choose_examples(facts, 5, 0, built_in()) != choose_examples(facts, 5, 1, built_in())


def test_masks_and_boxes_are_pycocotools(toy, toy_set):
    samples, facts = toy
    api = COCO(str(toy_set / 'train.json'))
    content = read_coco(toy_set / 'train.json')
    assert len(facts.labels) == class_counts(content, built_in()).sum()
    for number in range(0, len(facts.labels), 7):
        sample = samples[facts.rows[number]]
        mask = object_mask(samples, facts, number)
        theirs = [api.annToMask(a) for a in api.loadAnns(api.getAnnIds(sample['img_id']))]
        assert any(np.array_equal(mask, other) for other in theirs)
        entry = object_entry(samples, facts, number)
        rows, columns = np.nonzero(mask)
        left, top = columns.min(), rows.min()
        expected = [left, top, columns.max() + 1 - left, rows.max() + 1 - top]
        assert entry == dict(file_name=sample['file_name'], bbox=expected)
