from itertools import islice
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import BaseDataset, ConcatDataset
from mmseg.registry import DATA_SAMPLERS
from torch.utils.data import DataLoader

from mmseg_custom.datasets import MultiSourceSampler, SeededInfiniteSampler
from mmseg_custom.utils import UserError
from mmseg_custom.utils.seeding import SeededIndex


class Numbered(BaseDataset):
    """Says of each index which seed came with it."""

    def __init__(self, name, size):
        self.name, self.size = name, size
        super().__init__(serialize_data=False)

    def load_data_list(self):
        return [dict(number=number) for number in range(self.size)]

    def __getitem__(self, idx):
        return self.name, int(idx), idx.seed


def sets(sizes):
    return ConcatDataset([Numbered(str(place), size) for place, size in enumerate(sizes)])


def draw(sizes, ratio, count, rank=0, world_size=1, seed=5, skip=0, **options):
    with mock.patch('mmengine.dataset.sampler.get_dist_info', return_value=(rank, world_size)):
        sampler = MultiSourceSampler(sets(sizes), ratio, seed=seed, **options)
        if skip:
            sampler.skip(skip)
        return list(islice(sampler, count))


def locate(index, sizes):
    """Return the set of an index and its place in it."""
    for number, size in enumerate(sizes):
        if index < size:
            return number, int(index)
        index = index - size
    raise IndexError


SOURCES = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=3)


@settings(max_examples=30)
@given(SOURCES, st.integers(1, 3), st.integers(0, 2**31), st.integers(1, 2), st.floats(0, 1))
def test_every_batch_has_the_ratio_and_every_set_is_seen_whole(
    sources, world_size, seed, periods, done
):
    sizes, ratio = zip(*sources, strict=True)
    batch = periods * sum(ratio)
    count = 2 * batch * max(sizes)
    ranks = [draw(sizes, ratio, count, rank, world_size, seed) for rank in range(world_size)]
    for drawn in ranks:
        for start in range(0, count, batch):
            found = [locate(index, sizes)[0] for index in drawn[start : start + batch]]
            assert [found.count(n) for n in range(len(sizes))] == [periods * r for r in ratio]
    # What the processes draw at the same time, one behind the other, is the stream of all.
    together = [index for indices in zip(*ranks, strict=True) for index in indices]
    for number, size in enumerate(sizes):
        stream = [locate(index, sizes) for index in together]
        stream = [place for source, place in stream if source == number]
        for epoch in range(len(stream) // size):
            assert sorted(stream[epoch * size : (epoch + 1) * size]) == list(range(size))
    assert len({index.seed for index in together}) == len(together)
    skip = int(done * count)
    resumed = draw(sizes, ratio, count - skip, 0, world_size, seed, skip)
    assert resumed == ranks[0][skip:]
    assert [index.seed for index in resumed] == [index.seed for index in ranks[0][skip:]]


def test_one_set_is_drawn_like_the_seeded_sampler():
    theirs = list(islice(SeededInfiniteSampler(range(7), seed=5), 30))
    ours = draw([7], [1], 30)
    assert ours == theirs
    assert [index.seed for index in ours] == [index.seed for index in theirs]


def test_without_shuffling_the_order_is_that_of_the_sets():
    assert draw([2, 5], [1, 2], 9, shuffle=False) == [0, 2, 3, 1, 4, 5, 0, 6, 2]


def test_other_seeds_and_other_sets_have_other_orders():
    first, second = draw([40, 40], [1, 1], 80), draw([40, 40], [1, 1], 80, seed=6)
    assert first != second
    assert first[::2] != [index - 40 for index in first[1::2]]


def test_a_loader_gets_batches_of_both_and_the_seeds_reach_the_sets():
    both = sets([3, 10])
    config = dict(type='MultiSourceSampler', source_ratio=[1, 3])
    sampler = DATA_SAMPLERS.build(config, default_args=dict(dataset=both, seed=1))
    assert len(sampler) == 13
    loader = DataLoader(both, batch_size=8, sampler=sampler, collate_fn=list)
    for number, batch in enumerate(islice(loader, 5)):
        assert [name for name, _, _ in batch] == ['0', '1', '1', '1'] * 2
        assert [seed for _, _, seed in batch] == [(1, 8 * number + i) for i in range(8)]
    assert all(isinstance(index, SeededIndex) for index in islice(sampler, 3))


@pytest.mark.parametrize('ratio', [[1], [1, 1, 1], [1, 0], [1, 0.5], []])
def test_a_ratio_that_does_not_fit_the_sets_is_refused(ratio):
    with pytest.raises(UserError, match='give 2 integers of at least 1'):
        MultiSourceSampler(sets([2, 2]), ratio)


def test_there_must_be_sets_to_mix():
    with pytest.raises(UserError, match='ConcatDataset, not a range'):
        MultiSourceSampler(range(3), [1])
