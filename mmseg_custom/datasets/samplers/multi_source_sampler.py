"""An endless sampler that mixes several data sets in a fixed ratio."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, count, cycle

from mmengine.dataset import ConcatDataset, InfiniteSampler
from mmseg.registry import DATA_SAMPLERS

from mmseg_custom.utils import UserError
from mmseg_custom.utils.seeding import SeededIndex

from .seeded_infinite_sampler import SeededInfiniteSampler


@DATA_SAMPLERS.register_module()
class MultiSourceSampler(SeededInfiniteSampler):
    """``SeededInfiniteSampler`` that takes turns between the data sets of a ``ConcatDataset``.

    With ``source_ratio=[1, 3]`` every four samples of a process are one of the first set and three
    of the second, in this order: a batch whose size is a multiple of four has exactly this ratio.
    Each set is an endless stream of its own, shuffled again after each pass, so that
    a small set comes round more often than a large one. The processes take turns in each stream.

    After MMDetection's sampler of this name, which needs the batch size.

    Args:
        dataset: The sets to mix.
        source_ratio: Samples of each set, whole numbers of at least 1.
        **kwargs: ``shuffle`` and ``seed`` of ``mmengine.dataset.InfiniteSampler``.

    Raises:
        UserError: No ``ConcatDataset``, or a ratio that does not fit it.
    """

    def __init__(self, dataset: ConcatDataset, source_ratio: Sequence[int], **kwargs):
        if not isinstance(dataset, ConcatDataset):
            raise UserError(
                f'MultiSourceSampler: mixes the sets of a ConcatDataset, not a '
                f'{type(dataset).__name__}; write dataset=dict(type="ConcatDataset", datasets=[…])'
            )
        sources = len(dataset.datasets)
        whole = all(isinstance(part, int) and part >= 1 for part in source_ratio)
        if len(source_ratio) != sources or not whole:
            raise UserError(
                f'MultiSourceSampler: source_ratio {list(source_ratio)}: give {sources} integers '
                'of at least 1, one for each data set'
            )
        self.source_ratio = tuple(source_ratio)
        super().__init__(dataset, **kwargs)

    def _indices_of_rank(self) -> Iterator[SeededIndex]:
        """Yield what this process draws; ``InfiniteSampler`` slices each set by rank."""
        streams = [
            iter(InfiniteSampler(part, self.shuffle, self.seed + number))
            for number, part in enumerate(self.dataset.datasets)
        ]
        firsts = [0, *accumulate(map(len, self.dataset.datasets))]
        turns = [number for number, part in enumerate(self.source_ratio) for _ in range(part)]
        places = count(self.rank, self.world_size)
        for place, number in zip(places, cycle(turns), strict=False):
            yield SeededIndex(firsts[number] + next(streams[number]), (self.seed, place))
