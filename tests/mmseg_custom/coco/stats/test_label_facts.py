import json

import numpy as np
import pytest
from conftest import coco
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import IGNORE_INDEX, pixel_counts, read_coco, save_mask
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.stats.class_counts import class_counts
from mmseg_custom.coco.stats.label_facts import GRID, covered_share, measure_labels

CLASSES = built_in().names


@pytest.fixture(params=['toy', 'real'])
def ann_file(request):
    if request.param == 'toy':
        return request.getfixturevalue('toy_set') / 'train.json'
    return request.getfixturevalue('real_sample') / 'train_all.json'


def naive_pixels(api, image):
    """What a person would write with pycocotools: larger areas first, then count."""
    mask = np.zeros((image['height'], image['width']), int)
    entries = api.loadAnns(api.getAnnIds(image['id']))
    for entry in sorted(entries, key=lambda entry: -entry['area']):
        name = api.loadCats(entry['category_id'])[0]['name']
        mask[api.annToMask(entry) == 1] = CLASSES.index(name)
    return mask


def test_counts_are_those_of_a_naive_loop(ann_file):
    api = COCO(str(ann_file))
    content = read_coco(ann_file)
    facts = measure_labels(labelled_samples(ann_file, built_in()), built_in())
    masks = [naive_pixels(api, image) for image in content['images']]
    expected = [[(mask == label).sum() for label in range(11)] for mask in masks]
    np.testing.assert_array_equal(facts.pixels, expected)
    np.testing.assert_array_equal(facts.pixels, pixel_counts(content, built_in()))
    np.testing.assert_array_equal(facts.annotations, class_counts(content, built_in()))
    assert not facts.is_mask.any()
    measured = sorted(zip(facts.rows.tolist(), facts.labels, facts.areas, strict=True))
    assert measured == sorted(
        (row, CLASSES.index(api.cats[entry['category_id']]['name']), api.annToMask(entry).sum())
        for row, image in enumerate(content['images'])
        for entry in api.loadAnns(api.getAnnIds(image['id']))
    )
    for label in range(11):
        cells = [overlaps(m.shape[0]) @ (m == label) @ overlaps(m.shape[1]).T for m in masks]
        expected = np.mean(cells, axis=0)
        np.testing.assert_allclose(facts.positions[label], expected, atol=1e-6)


def overlaps(side):
    """Return which fraction of each cell of the grid each pixel covers, ``(GRID, side)``."""
    edges, pixels = np.arange(GRID + 1) * side / GRID, np.arange(side)
    inside = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return inside.clip(min=0) * GRID / side


def test_mask_files_count_in_pixels_alone(tmp_path):
    mask = np.zeros((10, 20), np.uint8)
    mask[:5], mask[5, :7] = 3, IGNORE_INDEX
    save_mask(tmp_path / 'm.png', mask, built_in())
    images = [
        dict(id='a', file_name='a.jpg', height=10, width=20, seg_map_path='m.png'),
        dict(id='b', file_name='b.jpg', height=8, width=8),
    ]
    square = [[1, 1, 5, 1, 5, 5, 1, 5]]
    annotations = [
        dict(id=i, image_id=image, category_id=8, segmentation=square)
        for i, image in enumerate('ab')
    ]
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(coco(images, annotations)))
    facts = measure_labels(labelled_samples(path, built_in()), built_in())
    assert facts.is_mask.tolist() == [True, False]
    assert facts.pixels[0].tolist() == [93, 0, 0, 100] + 7 * [0]
    assert facts.pixels[1].tolist() == [48, 0, 16] + 8 * [0]
    assert facts.annotations.sum(axis=1).tolist() == [0, 1]
    assert facts.areas.tolist() == [16]
    # Class 3 covers the upper half of one of two images.
    np.testing.assert_allclose(facts.positions[3][: GRID // 2 - 1], 0.5)
    np.testing.assert_allclose(facts.positions[3][GRID // 2 + 1 :], 0)


@pytest.mark.parametrize('shape', [(64, 64), (100, 131), (512, 700), (3, 5)])
def test_the_grid_keeps_the_covered_share(shape):
    inside = np.zeros(shape, bool)
    inside[: shape[0] // 3 + 1, : shape[1] // 2 + 1] = True
    found = covered_share(inside)
    assert found.shape == (GRID, GRID)
    assert found.mean() == pytest.approx(inside.mean(), abs=0.01)
