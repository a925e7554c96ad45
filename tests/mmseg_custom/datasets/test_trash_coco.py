import json
import pickle
from unittest import mock

import numpy as np
import pytest
from conftest import coco
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmseg.registry import DATASETS
from torch.utils.data import DataLoader

from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.datasets import TrashCocoDataset
from mmseg_custom.utils import UserError
from mmseg_custom.utils.seeding import SeededIndex

BIG, SMALL = [2, 2, 30, 2, 30, 30, 2, 30], [8, 8, 16, 8, 16, 16, 8, 16]
LOAD = [dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')]


def content(count=3) -> dict:
    images = [dict(id=i, file_name=f'b/{i}.png', height=32, width=40) for i in range(count)]
    annotations = [
        dict(id=0, image_id=0, category_id=8, segmentation=[SMALL], area=64, iscrowd=0),
        dict(id=1, image_id=0, category_id=9, segmentation=[BIG], area=784, iscrowd=0),
    ]
    return coco(images, annotations)


def make(path, **kwargs):
    return TrashCocoDataset(path.name, data_root=str(path.parent), pipeline=LOAD, **kwargs)


def test_is_registered_with_the_contests_classes(small_set):
    path = small_set(content())
    cfg = dict(type='TrashCocoDataset', ann_file=path.name, data_root=str(path.parent))
    metainfo = DATASETS.build(cfg).metainfo
    assert metainfo['classes'][8] == 'Plastic bag'
    assert tuple(metainfo['palette'][8]) == (192, 192, 128)


def test_small_objects_lie_on_top_and_the_rest_is_background(small_set):
    dataset = make(small_set(content()))
    mask = dataset[0]['gt_seg_map']
    assert (mask[10, 10], mask[4, 4], mask[0, 0]) == (2, 8, 0)
    assert not dataset[1]['gt_seg_map'].any()
    assert len(dataset) == 3


def test_test_mode_needs_no_annotations(small_set):
    unlabelled = content()
    del unlabelled['annotations']
    path = small_set(unlabelled)
    sample = make(path, test_mode=True)[0]
    assert sample['img'].shape == (32, 40, 3)
    assert 'gt_seg_map' not in sample
    with pytest.raises(UserError, match='test_mode=True'):
        make(path)


def test_masks_from_png_files(small_set, tmp_path):
    labelled = content()
    labelled['images'][1]['seg_map_path'] = 'masks/1.png'
    path = small_set(labelled)
    mask = np.random.default_rng(0).choice([0, 3, 10, 255], (32, 40)).astype(np.uint8)
    save_mask(tmp_path / 'masks' / '1.png', mask, built_in())
    np.testing.assert_array_equal(make(path)[1]['gt_seg_map'], mask)
    mask[5, 5] = 42
    save_mask(tmp_path / 'masks' / '1.png', mask, built_in())
    with pytest.raises(UserError, match=r'1\.png: has the label 42'):
        make(path)


def test_reduce_zero_label_is_refused(small_set):
    with pytest.raises(UserError, match='drop the first class'):
        make(small_set(content()), reduce_zero_label=True)


def test_missing_photos_are_counted_and_named_at_once(small_set):
    path = small_set(content(), missing=('b/1.png', 'b/2.png'))
    with pytest.raises(UserError, match=r'b/1\.png: no such photo \(2 of 3'):
        make(path)


def test_missing_data_root_offers_the_toy_set():
    with pytest.raises(UserError, match='no-such-folder: no such data folder'):
        TrashCocoDataset('train.json', data_root='no-such-folder')


def test_an_empty_set_is_refused(small_set):
    with pytest.raises(UserError, match='lists no image'):
        make(small_set(coco([], [])))


def cut_photo(path, number):
    photo = path.parent / 'b' / f'{number}.png'
    photo.write_bytes(photo.read_bytes()[:200])


def test_a_broken_photo_stops_the_run_and_is_named(small_set):
    path = small_set(content())
    dataset = make(path)
    cut_photo(path, 1)
    with pytest.raises(UserError, match=r'1\.png: the photo is truncated'):
        dataset[1]


def test_a_broken_photo_is_named_from_a_worker_without_a_traceback(small_set):
    path = small_set(content())
    dataset = make(path)
    cut_photo(path, 1)
    loader = DataLoader(dataset, batch_size=None, num_workers=1)
    with pytest.raises(UserError) as error:
        list(loader)
    assert str(error.value).startswith(str(path.parent / 'b' / '1.png'))
    assert 'Traceback' not in str(error.value)


def test_skips_are_counted_capped_and_reported(small_set):
    path = small_set(content(count=4))
    dataset = make(path, max_bad_images=2)
    cut_photo(path, 1)
    cut_photo(path, 2)
    with mock.patch('mmseg_custom.datasets.trash_coco.print_log') as log:
        sample = dataset[1]
    assert sample['img_path'].endswith('3.png')
    assert [call.args[0][:23] for call in log.call_args_list] == [
        'skipped broken photo 1 ',
        'skipped broken photo 2 ',
    ]
    with pytest.raises(UserError, match=r'1\.png'):
        dataset[1]


def test_testing_never_skips(small_set):
    path = small_set(content())
    dataset = make(path, max_bad_images=2, test_mode=True)
    cut_photo(path, 1)
    with pytest.raises(UserError):
        dataset[1]


def test_the_annotations_are_one_block_of_bytes(small_set):
    many = content(count=1)
    photo = many['images'][0]
    many['images'] = [dict(photo, id=i) for i in range(500)]
    many['annotations'] = []
    dataset = make(small_set(many))
    assert not dataset.data_list
    assert dataset.data_bytes.nbytes < 500 * 1000
    assert len(dataset) == 500


def test_a_seeded_index_makes_the_same_sample_through_wrappers(small_set):
    path = small_set(content())
    jitter = dict(type='PhotoMetricDistortion')
    plain = TrashCocoDataset(path.name, data_root=str(path.parent), pipeline=[*LOAD, jitter])
    index = pickle.loads(pickle.dumps(SeededIndex(1, (3, 14))))
    first = plain[index]['img']
    for wrapped in (RepeatDataset(plain, 2), ConcatDataset([plain, plain])):
        for place in (1, 4):
            again = wrapped[SeededIndex(place, (3, 14))]['img']
            np.testing.assert_array_equal(again, first)
        assert (wrapped[SeededIndex(1, (3, 15))]['img'] != first).any()


def test_unknown_category_is_refused_with_the_file(small_set):
    bad = content()
    bad['categories'][1]['name'] = 'Banana'
    with pytest.raises(UserError, match=r"(?s)ann\.json: 1 category is none of.*'Banana' \("):
        make(small_set(bad))


def test_what_a_peer_reads_is_what_we_read(toy_set):
    """The toy set as pycocotools lists it: same photos, same number of annotations."""
    from pycocotools.coco import COCO

    api = COCO(str(toy_set / 'train.json'))
    dataset = TrashCocoDataset('train.json', data_root=str(toy_set))
    assert len(dataset) == len(api.imgs)
    ours = sum(len(dataset.get_data_info(i)['annotations']) for i in range(len(dataset)))
    assert ours == len(json.loads((toy_set / 'train.json').read_text())['annotations'])
