from collections import Counter
from itertools import islice
from unittest import mock

import numpy as np
import pytest
from conftest import coco
from mmengine.dataset import BaseDataset, ClassBalancedDataset
from mmseg.registry import DATA_SAMPLERS

from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.datasets import RepeatFactorSampler, SeededInfiniteSampler, TrashCocoDataset
from mmseg_custom.utils import UserError
from mmseg_custom.utils.seeding import SeededIndex


class Labelled:
    """Sixteen images: Paper in all but the last, Battery in one, Clothing in four."""

    metainfo = dict(classes=('Background', 'Paper', 'Battery', 'Clothing'))
    labels = [[1, 2]] + [[1, 3]] * 4 + [[1]] * 10 + [[]]

    def __len__(self):
        return len(self.labels)

    def get_cat_ids(self, idx):
        return self.labels[idx]


def sampler(rank=0, world_size=1, dataset=None, seed=5, **options):
    options = options or dict(threshold=0.25)
    with mock.patch('mmengine.dataset.sampler.get_dist_info', return_value=(rank, world_size)):
        return RepeatFactorSampler(dataset or Labelled(), seed=seed, **options)


def test_is_registered_and_built_as_a_runner_does():
    config = dict(type='RepeatFactorSampler', classes=['battery'], times=3)
    built = DATA_SAMPLERS.build(config, default_args=dict(dataset=Labelled(), seed=1))
    assert isinstance(built, SeededInfiniteSampler)
    assert len(built) == 16


def test_mean_repeats_are_the_factors():
    ours = sampler(threshold=1.0)
    expected = [4.0] + [2.0] * 4 + [(16 / 15) ** 0.5] * 10 + [1.0]
    np.testing.assert_allclose(ours.factors, expected)
    total = int(sum(expected) * 200)
    seen = Counter(islice(ours, total))
    np.testing.assert_allclose([seen[i] / 200 for i in range(16)], expected, atol=0.06)


def test_listed_classes_occur_so_many_times_in_each_epoch():
    ours = sampler(classes=['Battery', 'clothing'], times=3)
    stream, epoch = iter(ours), 5 * 3 + 11
    for _ in range(3):
        seen = Counter(islice(stream, epoch))
        assert [seen[i] for i in range(16)] == [3] * 5 + [1] * 11
    one = sampler(classes='Battery', times=2, shuffle=False)
    assert list(islice(one, 18)) == [0, 0, *range(1, 16), 0]


def test_without_rare_classes_each_epoch_is_the_whole_set():
    stream = iter(sampler(threshold=0.01))
    for _ in range(3):
        assert sorted(islice(stream, 16)) == list(range(16))


def test_two_processes_share_the_stream():
    whole = list(islice(sampler(), 60))
    parts = [list(islice(sampler(rank, 2), 30)) for rank in (0, 1)]
    assert [parts[i % 2][i // 2] for i in range(60)] == whole
    assert [parts[i % 2][i // 2].seed for i in range(60)] == [i.seed for i in whole]
    assert all(isinstance(i, SeededIndex) for i in whole)
    assert len({i.seed for i in whole}) == 60


@pytest.mark.parametrize(('rank', 'world_size'), [(0, 1), (1, 2)])
def test_skip_goes_on_where_it_was(rank, world_size):
    whole = list(islice(sampler(rank, world_size), 90))
    resumed = sampler(rank, world_size)
    resumed.skip(53)
    rest = list(islice(resumed, 37))
    assert rest == whole[53:]
    assert [i.seed for i in rest] == [i.seed for i in whole[53:]]


def test_seeds_give_other_streams():
    assert list(islice(sampler(), 40)) != list(islice(sampler(seed=6), 40))


@pytest.mark.parametrize(
    'options',
    [
        dict(classes=['Battery']),
        dict(times=2),
        dict(threshold=0.1, classes=['Battery'], times=2),
        dict(threshold=0.1, times=2),
        dict(threshold=None),
    ],
)
def test_options_that_say_nothing_or_two_things_are_refused(options):
    with pytest.raises(UserError, match='either threshold, or classes and times'):
        sampler(**options)


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(UserError, match='threshold 2'):
        sampler(threshold=2)
    with pytest.raises(UserError, match="'Wood' is no class"):
        sampler(classes=['Wood'], times=2)


def test_a_dataset_must_know_its_classes():
    class Nameless(Labelled):
        metainfo = None

    class Silent(BaseDataset):
        def __init__(self):
            pass

        def __len__(self):
            return 3

    with pytest.raises(UserError, match='list has no get_cat_ids.*TrashCocoDataset'):
        sampler(dataset=[1, 2, 3])
    with pytest.raises(UserError, match='Silent has no get_cat_ids'):
        sampler(dataset=Silent())
    with pytest.raises(UserError, match='give threshold'):
        sampler(dataset=Nameless(), classes=['Battery'], times=2)


def test_the_trash_dataset_tells_its_classes(small_set, tmp_path):
    square = [2, 2, 9, 2, 9, 9, 2, 9]
    images = [dict(id=i, file_name=f'{i}.png', height=16, width=20) for i in range(4)]
    images[2]['seg_map_path'] = 'mask.png'
    annotations = [
        dict(id=n, image_id=image, category_id=category, segmentation=[square], area=49)
        for n, (image, category) in enumerate([(0, 9), (0, 7), (0, 9), (3, 8)])
    ]
    mask = np.zeros((16, 20), np.uint8)
    mask[0], mask[1], mask[2] = 10, 255, 2
    save_mask(tmp_path / 'mask.png', mask, built_in())
    path = small_set(coco(images, annotations))
    dataset = TrashCocoDataset(path.name, data_root=str(path.parent))
    assert [dataset.get_cat_ids(i) for i in range(4)] == [[1, 8], [], [2, 10], [2]]
    assert len(ClassBalancedDataset(dataset, oversample_thr=1.0)) > 4
    ours = sampler(dataset=dataset, classes=['Clothing'], times=4)
    assert ours.factors.tolist() == [1, 1, 4, 1]
