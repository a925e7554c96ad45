import numpy as np
import pytest
from mmseg.registry import TRANSFORMS


def sample(height=40, width=60):
    rows, columns = np.mgrid[:height, :width]
    img = np.stack([rows, columns, rows + columns], -1).astype(np.uint8)
    mask = ((rows // 8 + columns // 8) % 5).astype(np.uint8)
    return dict(img=img, gt_seg_map=mask, seg_fields=['gt_seg_map'], img_shape=img.shape[:2])


def build(**kwargs):
    return TRANSFORMS.build(dict(type='RandomScaleCrop', **kwargs))


@pytest.mark.parametrize('ratio', [1.0, 1.5, 2.0])
def test_a_larger_photo_is_cut_to_its_own_size(ratio):
    results = build(ratio_range=(ratio, ratio))(sample())
    assert results['img'].shape == (40, 60, 3)
    assert results['gt_seg_map'].shape == (40, 60)


def test_a_smaller_photo_stays_whole():
    results = build(ratio_range=(0.5, 0.5))(sample())
    assert results['img'].shape == (20, 30, 3)
    assert results['gt_seg_map'].shape == (20, 30)


def test_ratio_one_changes_nothing():
    results = build(ratio_range=(1.0, 1.0))(sample())
    np.testing.assert_array_equal(results['img'], sample()['img'])
    np.testing.assert_array_equal(results['gt_seg_map'], sample()['gt_seg_map'])


def test_a_given_size_wins():
    results = build(ratio_range=(1.0, 1.0), size=(16, 24))(sample())
    assert results['img'].shape == (16, 24, 3)


def test_ratios_are_spread_over_the_range():
    transform = build(ratio_range=(0.5, 0.9))
    heights = {transform(sample())['img'].shape[0] for _ in range(100)}
    assert min(heights) >= 20
    assert max(heights) <= 36
    assert len(heights) > 8
