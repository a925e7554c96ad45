import json

import numpy as np
import pytest
from conftest import coco
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import ClassBalancedDataset
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import (
    find_problems,
    labels_of_names,
    listed_factors,
    repeat_images,
    round_factors,
    threshold_factors,
)
from mmseg_custom.utils import UserError

SQUARE = [2, 2, 9, 2, 9, 9, 2, 9]


class Classes(list):
    def get_cat_ids(self, idx):
        return self[idx]


def test_factors_by_hand():
    classes_of = [[1], [1], [1, 2], []]
    # Class 1 is in 3 of 4 images, class 2 in 1 of 4.
    np.testing.assert_allclose(threshold_factors(classes_of, 0.5), [1, 1, 2**0.5, 1])
    np.testing.assert_allclose(threshold_factors(classes_of, 1), [(4 / 3) ** 0.5] * 2 + [2, 1])
    np.testing.assert_allclose(threshold_factors(classes_of, 0.25), 1)
    np.testing.assert_array_equal(listed_factors(classes_of, [2], 3), [1, 1, 3, 1])


@given(st.lists(st.lists(st.integers(0, 5)), min_size=1), st.floats(0.01, 1))
def test_factors_are_mmengines(classes_of, threshold):
    dataset = Classes(classes_of)
    dataset.dataset = dataset
    theirs = ClassBalancedDataset._get_repeat_factors(dataset, dataset, threshold)
    np.testing.assert_allclose(threshold_factors(classes_of, threshold), theirs)


def test_wrong_options_are_refused():
    for threshold in (0, -1, 1.1, float('nan')):
        with pytest.raises(UserError, match='threshold'):
            threshold_factors([[1]], threshold)
    for times in (0.5, 0, float('nan'), float('inf')):
        with pytest.raises(UserError, match='times'):
            listed_factors([[1]], [1], times)
    with pytest.raises(UserError, match="'Wood' is no class.*Battery"):
        labels_of_names(['paper', 'Wood'], built_in())
    assert labels_of_names(['plastic_bag', 'BATTERY'], built_in()) == [8, 9]


def test_rounding_is_seeded_and_right_in_the_mean():
    factors = np.array([1, 1.25, 2.5, 3])
    drawn = np.stack([round_factors(factors, seed) for seed in range(2000)])
    np.testing.assert_allclose(drawn.mean(axis=0), factors, atol=0.05)
    assert (np.abs(drawn - factors) < 1).all()
    np.testing.assert_array_equal(drawn[3], round_factors(factors, 3))


@settings(max_examples=25)
@given(st.data())
def test_repeated_files_are_sound(tmp_path_factory, data):
    ids = data.draw(
        st.lists(st.integers(0, 99) | st.text('ab', min_size=1), min_size=1, unique=True)
    )
    repeats = data.draw(st.lists(st.integers(1, 4), min_size=len(ids), max_size=len(ids)))
    images = [dict(id=i, file_name=f'{i}.png', height=16, width=16) for i in ids]
    annotations = [
        dict(id=3 * n, image_id=ids[n // 2], category_id=7 + n % 3, segmentation=[SQUARE], area=49)
        for n in range(len(ids))
    ]
    content = coco(images, [a | dict(iscrowd=0, bbox=[2, 2, 7, 7]) for a in annotations])
    before = json.dumps(content)
    found = repeat_images('a.json', content, repeats)
    assert json.dumps(content) == before
    assert list(find_problems(found, built_in())) == []
    assert found['images'][: len(ids)] == images
    path = tmp_path_factory.getbasetemp() / 'repeated.json'
    path.write_text(json.dumps(found))
    api = COCO(str(path))
    assert len(api.imgs) == sum(repeats)
    for image, repeat in zip(images, repeats, strict=True):
        copies = [i for i in api.imgs.values() if i['file_name'] == image['file_name']]
        assert len(copies) == repeat
        labels = [[a['category_id'] for a in api.imgToAnns[copy['id']]] for copy in copies]
        assert labels == [labels[0]] * repeat


def test_no_image_is_dropped():
    images = [dict(id=0, file_name='a.png', height=8, width=8)]
    with pytest.raises(UserError, match=r'a\.json: .*lost'):
        repeat_images('a.json', coco(images, []), [0])
