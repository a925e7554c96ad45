"""An endless sampler whose samples can be made again, wherever a run is resumed."""

import math
from collections.abc import Iterator
from itertools import count

from mmengine.dataset import InfiniteSampler
from mmseg.registry import DATA_SAMPLERS

from mmseg_custom.utils.seeding import SeededIndex


@DATA_SAMPLERS.register_module()
class SeededInfiniteSampler(InfiniteSampler):
    """``InfiniteSampler`` that gives every sample a seed of its own.

    It yields :class:`~mmseg_custom.utils.seeding.SeededIndex`: the seed is ``(seed of the run,
    place of the sample in the full stream)``, so that augmentations depend neither on the number
    of workers nor on how often the run was resumed. Arguments as ``mmengine.dataset.
    InfiniteSampler``; MMEngine puts it at its place on resume through ``skip``.

    Attributes:
        taken (int): How many indices of the stream were taken.
    """

    taken = 0
    # How many photos all processes of a resumed training have seen, None if that is unknown.
    photos_seen: int | None = None

    def skip(self, num_samples: int) -> None:
        """Continue where the training was, also with another batch size or number of processes.

        Args:
            num_samples: What MMEngine counts for this process with the present batch size; taken
                where :attr:`photos_seen` is unknown.
        """
        if self.photos_seen is not None:
            num_samples = math.ceil(self.photos_seen / self.world_size)
        self._skip(num_samples)

    def _indices_of_rank(self) -> Iterator[SeededIndex]:
        """Yield every ``world_size``-th index of the stream, from ``rank`` on."""
        places = count(self.rank, self.world_size)
        for place, index in zip(places, super()._indices_of_rank(), strict=False):
            yield SeededIndex(index, (self.seed, place))

    def __iter__(self) -> Iterator[int]:
        """Yield the stream from where the last loop ended."""
        for index in self.indices:
            self.taken += 1
            yield index

    def _skip(self, num_samples: int) -> None:
        """Continue behind the first ``num_samples`` indices of this process."""
        super().skip(num_samples)
        self.taken = num_samples

    def __getstate__(self) -> dict:
        """Return what a copy or a pickle needs; the stream is made again from its place."""
        return {key: value for key, value in vars(self).items() if key != 'indices'}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._skip(self.taken)
