import random
from collections import Counter

import cv2
import numpy as np
import pytest
from conftest import coco
from mmseg.registry import DATASETS

from mmseg_custom.classes import built_in, class_list
from mmseg_custom.datasets import TrashCocoDataset
from mmseg_custom.transforms import CopyPaste
from mmseg_custom.utils import UserError
from mmseg_custom.utils.seeding import SeededIndex

SIDE = 48
LOAD = [dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')]


def square(left, top, side):
    right, bottom = left + side, top + side
    return [[left, top, right, top, right, bottom, left, bottom]]


@pytest.fixture
def trash(small_set):
    """Photo 0 is empty, 1 and 2 hold Paper (8), 3 holds General trash (7) and a hidden Paper."""
    images = [
        dict(id=i, file_name=f'{i}.png', height=SIDE, width=SIDE, license=0) for i in range(4)
    ]
    objects = [
        (1, 8, square(4, 6, 10)),
        (2, 8, square(20, 20, 16)),
        (3, 8, square(2, 2, 30)),
        (3, 7, square(2, 2, 29)),
    ]
    annotations = [
        dict(id=i, image_id=image, category_id=category, segmentation=polygons)
        for i, (image, category, polygons) in enumerate(objects)
    ]
    return small_set(coco(images, annotations))


def mixed(path, **options):
    inner = dict(
        type='TrashCocoDataset', ann_file=path.name, data_root=str(path.parent), pipeline=LOAD
    )
    transform = dict(type='CopyPaste', **dict(prob=1.0) | options)
    wrapper = dict(type='MultiImageMixDataset', dataset=inner, pipeline=[transform])
    return DATASETS.build(wrapper)


def test_pasted_pixels_are_copies_with_their_label(trash):
    dataset = mixed(trash, patch=['paper'], scale_range=(1, 1), max_objects=1)
    donors = [cv2.imread(str(trash.parent / f'{i}.png')) for i in range(4)]
    empty, found = donors[0], Counter()
    for place in range(40):
        sample = dataset[SeededIndex(0, (0, place))]
        pasted = sample['gt_seg_map'] > 0
        assert set(np.unique(sample['gt_seg_map'])) == {0, 2}
        assert np.array_equal(sample['img'][~pasted], empty[~pasted])
        rows, columns = np.nonzero(pasted)
        side = np.ptp(rows) + 1
        donor, left = {10: (1, 4), 16: (2, 20)}.get(side, (None, None))
        if donor is None:
            continue
        top = 6 if donor == 1 else 20
        cut = donors[donor][top : top + side, left : left + side]
        window = sample['img'][rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        found[donor] += 1
        assert np.array_equal(window, cut) or np.array_equal(window, cut[:, ::-1])
    assert found[1] > 3
    assert found[2] > 3


@pytest.mark.parametrize('crop', [False, True], ids=['annotations', 'masks'])
def test_another_order_of_the_classes_pastes_the_same(trash, crop):
    """Photos are equal, and so are labels by name."""
    # After a crop, objects are what is left of them in the label mask.
    steps = [dict(type='RandomCrop', crop_size=(40, 40))] if crop else []
    names = list(built_in().names)
    turned = class_list(dict(names=names[::-1], background='Background'))
    made = []
    for classes in (built_in(), turned):
        inner = dict(
            type='TrashCocoDataset', ann_file=trash.name, data_root=str(trash.parent),
            pipeline=[*LOAD, *steps], metainfo=classes.to_metainfo(),
        )  # fmt: skip
        transform = dict(type='CopyPaste', prob=1.0, max_objects=2)
        wrapper = dict(type='MultiImageMixDataset', dataset=inner, pipeline=[transform])
        dataset = DATASETS.build(wrapper)
        made.append([dataset[SeededIndex(place % 4, (0, place))] for place in range(24)])
    new_label = np.array([turned.label_of(name) for name in names])
    for one, other in zip(*made, strict=True):
        assert np.array_equal(one['img'], other['img'])
        assert np.array_equal(new_label[one['gt_seg_map']], other['gt_seg_map'])


def test_rare_classes_come_as_often_as_others(trash):
    dataset = mixed(trash, max_objects=1)
    labels = [dataset[SeededIndex(0, (1, place))]['gt_seg_map'].max() for place in range(200)]
    # General trash is in one photo, Paper in three; but photo 3's Paper is a thin rim.
    assert 60 < labels.count(1) < 140
    assert 60 < labels.count(2) < 140


def test_nothing_is_pasted_with_probability_0_and_by_halves(trash):
    never, sometimes = mixed(trash, prob=0.0), mixed(trash, prob=0.5)
    places = [SeededIndex(0, (2, place)) for place in range(100)]
    assert not any(never[place]['gt_seg_map'].any() for place in places)
    assert 30 < sum(sometimes[place]['gt_seg_map'].any() for place in places) < 70


def test_removed_classes_are_not_pasted(trash):
    dataset = mixed(trash, remove_patch=['Paper'])
    seen = [dataset[SeededIndex(0, (3, place))]['gt_seg_map'] for place in range(30)]
    assert set(np.unique(seen)) == {0, 1}


def test_the_seed_of_the_sample_decides(trash):
    first, second = mixed(trash), mixed(trash)
    for place in range(5):
        index = SeededIndex(1, (5, place))
        assert np.array_equal(first[index]['img'], second[index]['img'])
    assert not all(
        np.array_equal(first[SeededIndex(1, (5, p))]['img'], first[SeededIndex(1, (6, p))]['img'])
        for p in range(5)
    )


def test_a_fresh_worker_draws_the_numbers_of_one_that_pasted_before(trash):
    warm = mixed(trash, prob=0.5)
    for place in range(30):
        index, drawn = SeededIndex(1, (5, place)), []
        for dataset in (mixed(trash, prob=0.5), warm):
            pixels = dataset[index]['img'].tobytes()
            drawn.append((pixels, np.random.random(), random.random()))
        assert drawn[0] == drawn[1]


def donor_of(seg_map, **more):
    photo = np.random.default_rng(1).integers(0, 256, (*seg_map.shape, 3), np.uint8)
    return dict(img=photo, gt_seg_map=seg_map, **more)


def paste(donor, classes_of, **options):
    class Fixed:
        metainfo = dict(classes=('Background', 'Paper', 'Glass'))

        def __len__(self):
            return 1

        def get_cat_ids(self, idx):
            return classes_of

    transform = CopyPaste(prob=1.0, scale_range=(1, 1), **options)
    assert transform.get_indices(Fixed()) == [0]
    target = donor_of(np.zeros((SIDE, SIDE), np.uint8))
    target['mix_results'] = [donor]
    return transform(target)


@pytest.mark.parametrize('more', [{}, dict(flip=True, annotations=[(2, b'nonsense')])])
def test_components_are_objects_where_annotations_do_not_hold(more):
    np.random.seed(0)
    seg_map = np.zeros((SIDE, SIDE), np.uint8)
    seg_map[2:8, 2:8] = seg_map[20:30, 20:25] = 1
    sizes = {
        int((paste(donor_of(seg_map, **more), [1], max_objects=1)['gt_seg_map'] == 1).sum())
        for _ in range(20)
    }
    assert sizes == {36, 50}


def test_ignored_pixels_are_never_pasted():
    np.random.seed(0)
    seg_map = np.full((SIDE, SIDE), 255, np.uint8)
    seg_map[10:20, 10:20] = 2
    seg_map[12:14, 12:14] = 255
    for _ in range(20):
        result = paste(donor_of(seg_map), [2])['gt_seg_map']
        assert set(np.unique(result)) == {0, 2}
        assert (result == 2).sum() == 96


def test_no_second_photo_is_told():
    with pytest.raises(UserError, match='MultiImageMixDataset'):
        CopyPaste()(dict(img=np.zeros((4, 4, 3)), gt_seg_map=np.zeros((4, 4))))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(prob=1.5), 'prob=1.5'),
        (dict(scale_range=(2, 1)), 'scale_range'),
        (dict(max_objects=0), 'max_objects'),
        (dict(feather=-1), 'feather'),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(UserError, match=message):
        CopyPaste(**options)


def test_unknown_or_absent_classes_are_told(trash):
    with pytest.raises(UserError, match="'Wood' is no class"):
        mixed(trash, patch=['Wood'])[0]
    with pytest.raises(UserError, match='no photo holds'):
        mixed(trash, patch=['Battery'])[0]


def test_it_works_through_other_wrappers(trash):
    leaf = dict(ann_file=trash.name, data_root=str(trash.parent), pipeline=LOAD)
    single = TrashCocoDataset(**leaf)
    joined = dict(type='ConcatDataset', datasets=[dict(type='TrashCocoDataset', **leaf)] * 2)
    repeated = dict(type='RepeatDataset', times=2, dataset=joined)
    pipeline = [dict(type='CopyPaste', prob=1.0)]
    dataset = DATASETS.build(dict(type='MultiImageMixDataset', dataset=repeated, pipeline=pipeline))
    assert len(dataset) == 4 * len(single)
    assert dataset[SeededIndex(12, (0, 0))]['gt_seg_map'].any()
