import copy

import numpy as np
import pytest
from mmseg.datasets.transforms import PhotoMetricDistortion
from mmseg.registry import TRANSFORMS


def photo(seed):
    rng = np.random.default_rng(seed)
    whole = rng.integers(0, 256, (40, 60, 3), np.uint8)
    # Every other one is a view, as cropping leaves it.
    return whole if seed % 2 else whole[3:30, 5:50]


@pytest.mark.parametrize(
    'options',
    [{}, dict(brightness_delta=80, contrast_range=(0, 3), saturation_range=(0, 4), hue_delta=90)],
)
def test_changes_every_photo_as_mmseg_does(options):
    ours = TRANSFORMS.build(dict(type='PhotoMetricTables', **options))
    mmseg = PhotoMetricDistortion(**options)
    changed = 0
    for seed in range(80):
        results = dict(img=photo(seed), gt_seg_map=np.ones((2, 2)))
        np.random.seed(seed)
        expected = mmseg(copy.deepcopy(results))['img']
        np.random.seed(seed)
        found = ours(copy.deepcopy(results))['img']
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)
        changed += not np.array_equal(found, results['img'])
    assert changed > 60


def test_the_next_random_number_is_the_same():
    for seed in range(20):
        following = []
        for name in ('PhotoMetricTables', 'PhotoMetricDistortion'):
            np.random.seed(seed)
            TRANSFORMS.build(dict(type=name))(dict(img=photo(seed)))
            following.append(np.random.random())
        assert following[0] == following[1]
