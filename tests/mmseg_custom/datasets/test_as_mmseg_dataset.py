"""What the tests of MMEngine's BaseDataset and mmseg's BaseSegDataset do, done with ours."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest
from conftest import coco
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import DataLoader

from mmseg_custom.apis.training_faults import ending_workers
from mmseg_custom.datasets import PseudoLabelledPhotos, TrashCocoDataset, UnlabelledPhotos
from mmseg_custom.utils import UserError

LOAD = [dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')]
COUNT = 5
SETS = (TrashCocoDataset, UnlabelledPhotos, PseudoLabelledPhotos)


def content() -> dict:
    images = [dict(id=i, file_name=f'b/{i}.png', height=8, width=8) for i in range(COUNT)]
    square = [1, 1, 6, 1, 6, 6, 1, 6]
    annotations = [
        dict(id=i, image_id=i, category_id=7 + i % 3, segmentation=[square], area=25, iscrowd=0)
        for i in range(COUNT)
    ]
    return coco(images, annotations)


@pytest.fixture
def make(small_set):
    path = small_set(content())

    def build(kind=TrashCocoDataset, **options):
        return kind(path.name, data_root=str(path.parent), **(dict(pipeline=LOAD) | options))

    return build


def ids(dataset):
    return [sample['img_id'] for sample in dataset]


@pytest.mark.parametrize('options', [{}, dict(lazy_init=True), dict(serialize_data=False)])
@pytest.mark.parametrize('kind', SETS)
def test_a_loop_ends(make, kind, options):
    assert ids(make(kind, **options)) == list(range(COUNT))


@pytest.mark.parametrize('index', [COUNT, COUNT + 3, -COUNT - 1, 10**9, np.int64(COUNT)])
def test_an_index_outside_is_refused(make, index):
    with pytest.raises(IndexError, match=f'index {index} of a data set of {COUNT} photos'):
        make()[index]


def test_an_index_from_the_end_is_pythons(make):
    dataset = make()
    assert [dataset[-i]['img_id'] for i in range(1, COUNT + 1)] == [4, 3, 2, 1, 0]
    assert dataset[np.int64(2)]['img_id'] == 2


@pytest.mark.parametrize('serialize', [True, False])
@pytest.mark.parametrize('bad', [0, 3])
@pytest.mark.parametrize(
    ('indices', 'expected'),
    [
        (3, [0, 1, 2]),
        (0, []),
        (-2, [3, 4]),
        (COUNT, [0, 1, 2, 3, 4]),
        (-COUNT, [0, 1, 2, 3, 4]),
        ([4, 0, 0, -1], [4, 0, 0, 4]),
        ([], []),
    ],
)
def test_subsets_as_lists_have_them(make, indices, expected, bad, serialize):
    options = dict(max_bad_images=bad, serialize_data=serialize)
    dataset = make(**options)
    subset = dataset.get_subset(indices)
    assert (len(subset), ids(subset)) == (len(expected), expected)
    assert ids(dataset) == list(range(COUNT))
    in_place = make(**options)
    in_place.get_subset_(indices)
    assert ids(in_place) == expected
    if expected:
        assert ids(make(indices=indices, **options)) == expected


@pytest.mark.parametrize(
    'copied', [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
@pytest.mark.parametrize('options', [{}, dict(max_bad_images=2), dict(lazy_init=True)])
@pytest.mark.parametrize('kind', SETS)
def test_copies_and_pickles_have_the_same_samples(make, kind, options, copied):
    dataset = make(kind, **options)
    twin = copied(dataset)
    for ours, theirs in zip(dataset, twin, strict=True):
        np.testing.assert_array_equal(ours['img'], theirs['img'])
        np.testing.assert_array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])
    assert twin.metainfo == dataset.metainfo
    assert repr(twin)


def test_a_copy_counts_its_skipped_photos_on_its_own(make, tmp_path):
    dataset = make(max_bad_images=2)
    photo = tmp_path / 'b' / '0.png'
    photo.write_bytes(photo.read_bytes()[:60])
    assert dataset[0]['img_id'] == 1
    twin = copy.deepcopy(dataset)
    for one in (dataset, twin):
        assert one[0]['img_id'] == 1
        with pytest.raises(UserError, match=r'0\.png'):
            one[0]


@pytest.mark.slow
@pytest.mark.parametrize('method', ['fork', 'forkserver'])
def test_the_limit_holds_over_all_workers(make, tmp_path, method):
    """Each of two workers meets two broken photos; three are allowed."""
    dataset = make(max_bad_images=3)
    for number in range(4):
        photo = tmp_path / 'b' / f'{number}.png'
        photo.write_bytes(photo.read_bytes()[:60])
    context = multiprocessing.get_context(method)
    loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context=context)
    broken = pytest.raises(UserError, match=r'\d\.png: the photo is truncated')
    with broken, ending_workers():  # PyTorch waits five seconds for each
        list(loader)


def test_wrappers_of_mmengine(make):
    dataset = make()
    repeated = RepeatDataset(dataset, 2)  # in a loop MMEngine's own has no end
    assert [repeated[i]['img_id'] for i in range(len(repeated))] == [*range(COUNT)] * 2
    assert ids(ConcatDataset([dataset, make(indices=2)])) == [*range(COUNT), 0, 1]
    balanced = ClassBalancedDataset(dataset, oversample_thr=1e-3)
    assert ids(balanced) == list(range(COUNT))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(img_suffix='.png'), 'img_suffix=.* no effect: the JSON names the photos'),
        (dict(seg_map_suffix='.gif'), 'seg_map_suffix=.* the JSON names the masks'),
        (dict(filter_cfg=dict(min_size=3)), 'filter_cfg=.* no photo is filtered'),
        (dict(max_refetch=5), 'max_refetch=.* max_bad_images'),
        (dict(ignore_index=254), 'ignore_index=254 .* class list'),
        (dict(reduce_zero_label=True), 'reduce_zero_label'),
    ],
)
def test_options_without_an_effect_are_refused(make, options, message):
    with pytest.raises(UserError, match=message):
        make(**options)


def test_defaults_that_a_config_spells_out_are_accepted(make):
    defaults = dict(img_suffix='.jpg', seg_map_suffix='.png', filter_cfg=None, ignore_index=255)
    assert len(make(**defaults)) == COUNT


@pytest.mark.parametrize('ann_file', ['', 'missing.json'])
def test_no_annotation_file_is_one_message(make, ann_file, tmp_path):
    with pytest.raises(UserError):
        TrashCocoDataset(ann_file, data_root=str(tmp_path), pipeline=LOAD)
