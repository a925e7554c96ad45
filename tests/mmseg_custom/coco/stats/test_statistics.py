import json
import statistics

import numpy as np
import pytest
from conftest import coco
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.stats.class_weights import METHODS, class_weights
from mmseg_custom.coco.stats.label_facts import LabelFacts, measure_labels
from mmseg_custom.coco.stats.statistics import compare_groups, label_statistics, weight_statistics

CLASSES = built_in().names


def square(left, top, side):
    right, bottom = left + side, top + side
    return [[left, top, right, top, right, bottom, left, bottom]]


@pytest.fixture
def described(tmp_path):
    """Three annotated images and one with a mask file, all numbers of which are known."""
    sizes = [(100, 100), (100, 200), (100, 100), (100, 100)]
    images = [dict(id=i, file_name=f'{i}.jpg', width=w, height=h) for i, (w, h) in enumerate(sizes)]
    images[3]['seg_map_path'] = 'm.png'
    mask = np.zeros((100, 100), np.uint8)
    mask[:10] = CLASSES.index('Paper')
    save_mask(tmp_path / 'm.png', mask, built_in())
    # General trash: sides 10, 20, 40; Paper: 40, under a Plastic bag that hides it.
    drawn = [(0, 7, 0, 10), (0, 7, 50, 20), (1, 7, 0, 40), (1, 8, 50, 40), (1, 9, 50, 40)]
    annotations = [
        dict(id=i, image_id=image, category_id=category, segmentation=square(left, 0, side))
        for i, (image, category, left, side) in enumerate(drawn)
    ]
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(coco(images, annotations)))
    samples = labelled_samples(path, built_in())
    return label_statistics(samples, measure_labels(samples, built_in()), built_in())


def test_numbers_by_hand(described):
    assert (described['images'], described['mask_files'], described['annotations']) == (4, 1, 5)
    background, trash, paper = described['classes'][:3]
    assert [entry['name'] for entry in described['classes']] == list(CLASSES)
    assert (trash['images'], trash['annotations'], trash['pixels']) == (2, 3, 2100)
    assert trash['annotation_share'] == pytest.approx(3 / 5)
    assert trash['pixel_share'] == pytest.approx(2100 / 50_000)
    # Its annotation is hidden; the mask file has 1000 pixels.
    assert (paper['images'], paper['annotations'], paper['pixels']) == (1, 1, 1000)
    assert background['pixels'] == 50_000 - 2100 - 1000 - 1600
    assert described['objects_per_image'] == [1, 0, 1, 1]
    assert described['image_sizes'] == [
        dict(width=100, height=100, images=3),
        dict(width=100, height=200, images=1),
    ]


def test_sizes_by_hand(described):
    trash, paper = described['classes'][1:3]
    assert trash['side_quartiles'] == statistics.quantiles([10, 20, 40], method='inclusive')
    shares = [0.01, 0.04, 0.08]
    assert trash['share_quartiles'] == pytest.approx(
        statistics.quantiles(shares, method='inclusive')
    )
    assert paper['side_quartiles'] == [40, 40, 40]
    assert described['classes'][9]['side_quartiles'] is None
    sizes = described['object_sizes']
    assert sum(sizes['objects']) == 5
    bins = dict(zip(np.round(sizes['share_edges'][1:], 4), sizes['objects'], strict=True))
    # Three bins a decade: up to 0.02 one object, to 0.05 one, to 0.1 three.
    assert [bins[end] for end in (0.02, 0.05, 0.1)] == [1, 1, 3]
    assert sizes['share_edges'][-4:] == [0.1, 0.2, 0.5, 1]
    assert len(sizes['share_edges']) == 16


def test_classes_together_by_hand(described):
    together = np.array(described['co_occurrence'])
    trash, paper, bag = (CLASSES.index(n) for n in ('General trash', 'Paper', 'Plastic bag'))
    assert together[trash, bag] == together[bag, trash] == 1
    assert together[trash, paper] == 0
    assert together[0, paper] == 1
    assert np.diag(together).tolist() == [entry['images'] for entry in described['classes']]


def facts_of(pixels, annotations):
    nothing = np.zeros(0, np.int64)
    is_mask = np.zeros(len(pixels), bool)
    return LabelFacts(pixels, annotations, is_mask, np.zeros((11, 64, 64)), *[nothing] * 4)


COUNTS = hnp.arrays(np.int64, (5, 11), elements=st.integers(0, 1000))


@given(COUNTS, COUNTS, hnp.arrays(np.int64, 5, elements=st.integers(0, 2)))
def test_groups_are_compared_without_background(pixels, annotations, group_of):
    found = compare_groups(facts_of(pixels, annotations), ['a', 'b', 'c'], group_of, built_in())
    assert found['groups'] == ['a', 'b', 'c']
    assert found['images'] == [list(group_of).count(group) for group in range(3)]
    for what, counts in (('pixels', pixels), ('annotations', annotations)):
        off = []
        for group in range(3):
            mine = [
                sum(counts[i, c] for i in range(5) if group_of[i] == group) for c in range(1, 11)
            ]
            shares = [number / (sum(mine) or 1) for number in mine]
            assert found[what]['shares'][group] == pytest.approx(shares)
            off += [abs(s - w) for s, w in zip(shares, found[what]['whole'], strict=True)]
        assert found[what]['max_deviation'] == pytest.approx(max(off))
    json.dumps(found)


def test_all_weights_are_listed():
    pixels = np.array([[900, 50, 50], [1000, 0, 0]])
    found = weight_statistics(pixels, 1.5)
    assert list(found['methods']) == list(METHODS)
    assert found['methods']['median'] == class_weights(pixels, 'median', max_weight=1.5).tolist()
    assert weight_statistics(pixels, 1.5, beta=0)['methods']['effective'] == [1, 1, 1]
