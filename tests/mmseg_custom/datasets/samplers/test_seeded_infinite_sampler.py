from itertools import islice
from unittest import mock

import pytest
from mmengine.dataset import InfiniteSampler

from mmseg_custom.datasets import SeededInfiniteSampler


def sampler(rank=0, world_size=1, cls=SeededInfiniteSampler):
    with mock.patch('mmengine.dataset.sampler.get_dist_info', return_value=(rank, world_size)):
        return cls(range(7), seed=5)


def test_order_is_mmengines():
    ours, theirs = sampler(), sampler(cls=InfiniteSampler)
    assert list(islice(ours, 30)) == list(islice(theirs, 30))


def test_each_sample_has_a_seed_of_its_own_across_processes():
    seeds = [i.seed for rank in (0, 1) for i in islice(sampler(rank, 2), 20)]
    assert len(set(seeds)) == 40
    whole = [i.seed for i in islice(sampler(), 40)]
    assert set(seeds) == set(whole)


@pytest.mark.parametrize(('rank', 'world_size'), [(0, 1), (1, 2)])
def test_skip_goes_on_where_it_was(rank, world_size):
    whole = list(islice(sampler(rank, world_size), 50))
    resumed = sampler(rank, world_size)
    resumed.skip(33)
    rest = list(islice(resumed, 17))
    assert rest == whole[33:]
    assert [i.seed for i in rest] == [i.seed for i in whole[33:]]
