import numpy as np
import pytest
from mmseg.registry import TRANSFORMS

from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.utils import UserError


@pytest.fixture
def transform():
    build = TRANSFORMS.build(dict(type='LoadTrashAnnotations'))
    return lambda sample: build(dict(sample, class_list=built_in()))


def test_annotations_become_a_mask(transform):
    square = np.array([2, 2, 8, 2, 8, 8, 2, 8], np.int16)
    results = transform(dict(height=10, width=12, annotations=[(4, (square,))]))
    assert results['gt_seg_map'].shape == (10, 12)
    assert results['gt_seg_map'].sum() == 4 * 36
    assert results['seg_fields'] == ['gt_seg_map']


def test_no_annotations_are_all_background_and_unlabelled_gets_no_mask(transform):
    assert not transform(dict(height=4, width=4, annotations=[]))['gt_seg_map'].any()
    assert 'gt_seg_map' not in transform(dict(height=4, width=4))


def test_a_mask_file_of_another_size_is_refused(transform, tmp_path):
    save_mask(tmp_path / 'm.png', np.zeros((4, 5), np.uint8), built_in())
    path = str(tmp_path / 'm.png')
    assert transform(dict(height=4, width=5, seg_map_path=path))['gt_seg_map'].shape == (4, 5)
    with pytest.raises(UserError, match='5x4'):
        transform(dict(height=5, width=4, seg_map_path=path))
