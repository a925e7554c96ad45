import numpy as np
import pytest
from mmcv.transforms import RandomResize
from mmseg.datasets.transforms import RandomCrop
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


def spotted(seed):
    rng = np.random.default_rng(seed)
    item = sample(48, 64)
    item['gt_seg_map'][:] = rng.choice([0, 255], p=[0.9, 0.1])
    for label in rng.choice([0, 3, 10, 255], 3):
        top, left = rng.integers(40, size=2)
        item['gt_seg_map'][top : top + 24, left : left + 24] = label
    return item


@pytest.mark.parametrize('cat_max_ratio', [0.5, 0.75, 1.0])
def test_pieces_are_those_of_mmseg(cat_max_ratio):
    ours = build(ratio_range=(0.8, 2.0), cat_max_ratio=cat_max_ratio, size=(32, 40))
    resize = RandomResize(scale=(40, 32), ratio_range=(0.8, 2.0), keep_ratio=True)
    crop = RandomCrop(crop_size=(32, 40), cat_max_ratio=cat_max_ratio)
    for seed in range(60):
        np.random.seed(seed)
        found = ours(spotted(seed))
        np.random.seed(seed)
        expected = crop(resize(spotted(seed)))
        np.testing.assert_array_equal(found['img'], expected['img'])
        np.testing.assert_array_equal(found['gt_seg_map'], expected['gt_seg_map'])
        assert found['img_shape'] == expected['img_shape']
