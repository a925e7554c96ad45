import json

import numpy as np
import pytest
from conftest import coco
from mmengine.dataset import ConcatDataset
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.datasets import TrashCocoDataset, UnlabelledPhotos
from mmseg_custom.datasets.class_lists import class_lists, pixel_rows
from mmseg_custom.utils import UserError
from mmseg_custom.utils.seeding import SeededIndex

LOAD = [dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')]
PACK = [dict(type='PackSegInputs', meta_keys=('img_path', 'labelled'))]
SQUARE = [2, 2, 9, 2, 9, 9, 2, 9]


def content() -> dict:
    images = [
        dict(id=0, file_name='b/0.png', height=17, width=20),
        dict(id=1, file_name='b/1.png', height=20, width=1),
    ]
    annotation = dict(id=0, image_id=0, category_id=8, segmentation=[SQUARE], area=49, iscrowd=0)
    return coco(images, [annotation])


def make(path, cls=UnlabelledPhotos, pipeline=LOAD, **kwargs):
    return cls(path.name, data_root=str(path.parent), pipeline=pipeline, **kwargs)


def without_labels(full):
    return {key: value for key, value in full.items() if key != 'annotations'}


def with_an_empty_list(full):
    return full | dict(annotations=[])


@pytest.mark.parametrize('change', [dict, without_labels, with_an_empty_list])
def test_every_pixel_is_ignored_whatever_labels_the_json_has(small_set, change):
    path = small_set(change(content()))
    config = dict(type='UnlabelledPhotos', ann_file=path.name, data_root=str(path.parent))
    dataset = DATASETS.build(config | dict(pipeline=LOAD))
    for sample, size in zip([dataset[0], dataset[1]], [(17, 20), (20, 1)], strict=True):
        np.testing.assert_array_equal(sample['gt_seg_map'], np.full(size, 255, np.uint8))
        assert sample['labelled'] is False
    assert len(dataset) == 2


def test_mask_files_are_not_read(small_set, tmp_path):
    full = content()
    full['images'][0]['seg_map_path'] = 'mask.png'
    save_mask(tmp_path / 'mask.png', np.full((17, 20), 3, np.uint8), built_in())
    sample = make(small_set(full))[0]
    assert (sample['gt_seg_map'] == 255).all()
    assert 'seg_map_path' not in sample


def test_a_folder_is_searched_for_photos(small_set, tmp_path):
    small_set(content())
    lying = Image.new('RGB', (30, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / 'b' / '2.jpg', exif=exif)
    (tmp_path / 'b' / '.hidden.jpg').write_bytes(b'')
    (tmp_path / 'b' / 'notes.txt').write_text('no photo')
    dataset = UnlabelledPhotos('b', data_root=str(tmp_path), pipeline=LOAD)
    names = [dataset[i]['img_path'] for i in range(len(dataset))]
    assert names == [str(tmp_path / 'b' / name) for name in ('0.png', '1.png', '2.jpg')]
    for sample in (dataset[0], dataset[1], dataset[2]):
        assert sample['gt_seg_map'].shape == sample['img'].shape[:2]
    assert dataset[2]['gt_seg_map'].shape == (30, 10)


def test_it_stands_beside_a_labelled_set(small_set):
    path = small_set(content())
    both = ConcatDataset([make(path, TrashCocoDataset), make(path)])
    assert class_lists(both) == [[2], [], [], []]
    counts = pixel_rows(both)
    assert counts.sum(axis=1).tolist() == [17 * 20, 20, 0, 0]


def test_the_model_is_told_and_a_seed_gives_the_same_crop(small_set):
    crop = dict(type='RandomScaleCrop', ratio_range=(0.5, 2.0), cat_max_ratio=1.0)
    dataset = make(small_set(content()), pipeline=[*LOAD, crop, *PACK])
    packed = dataset[SeededIndex(0, (3, 4))]
    assert packed['data_samples'].metainfo['labelled'] is False
    assert (packed['data_samples'].gt_sem_seg.data == 255).all()
    again = dataset[SeededIndex(0, (3, 4))]
    assert packed['inputs'].equal(again['inputs'])


def test_the_next_photo_takes_the_place_of_a_broken_one(small_set, tmp_path):
    path = small_set(content())
    (tmp_path / 'b' / '0.png').write_bytes(b'cut')
    made = make(path)
    assert made[0]['img_path'].endswith('1.png')
    (reason,) = made.skipped
    assert '0.png: the photo is truncated' in reason


def test_what_is_missing_is_named(small_set, tmp_path):
    path = small_set(content(), missing=('b/1.png',))
    with pytest.raises(UserError, match=r'1\.png: no such photo'):
        make(path)
    path.write_text(json.dumps(coco([], [])))
    with pytest.raises(UserError, match='lists no image'):
        make(path)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'empty: has no photo \(.bmp, .jpeg, .jpg'):
        UnlabelledPhotos('empty', data_root=str(tmp_path))
