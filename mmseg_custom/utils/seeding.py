"""Randomness as a pure function of the seed and of where in the training one is.

A run that draws its random numbers one after the other can only be continued exactly by restoring
every generator of every process. Here each sample and each iteration seeds the generators again
from ``(seed, place)``, so that a resumed run, or one with another number of loading workers, sees
the same numbers without any state being kept.
"""

import random

import numpy as np
import torch

SAMPLE, ITERATION = 0, 1


def seed_everything(*place: int) -> None:
    """Seed ``random``, NumPy and PyTorch from a tuple of whole numbers >= 0."""
    first, second = np.random.SeedSequence(place).generate_state(2)
    random.seed(int(first))
    np.random.seed(int(first))
    if torch.cuda.is_initialized() or torch.backends.mps.is_available():
        torch.manual_seed(int(second))
    else:
        # The other one queues the seed for CUDA with a stack trace, which takes a millisecond.
        torch.default_generator.manual_seed(int(second))


class SeededIndex(int):
    """A dataset index that carries the seed of the sample to be made from it.

    It is an ``int`` everywhere. The arithmetic by which dataset wrappers (``RepeatDataset``,
    ``ConcatDataset``) find the index in their inner dataset keeps the seed.

    Args:
        index: The dataset index.
        seed: Place of the sample in the training: whole numbers >= 0.
    """

    seed: tuple[int, ...]

    def __new__(cls, index: int, seed: tuple[int, ...]):
        """Make the index."""
        self = super().__new__(cls, index)
        self.seed = tuple(seed)
        return self

    def __getnewargs__(self):
        return int(self), self.seed

    def __mod__(self, other):
        return SeededIndex(int(self) % other, self.seed)

    def __sub__(self, other):
        return SeededIndex(int(self) - other, self.seed)

    def apply(self) -> None:
        """Seed the generators of this process for this sample."""
        seed_everything(SAMPLE, *self.seed)
