import random

import numpy as np
import torch

from mmseg_custom.utils.seeding import SeededIndex, seed_everything


def draw():
    return random.random(), np.random.random(), float(torch.rand(1))


def test_a_place_always_gives_the_same_numbers_and_another_place_others():
    seed_everything(0, 7, 3)
    first = draw()
    draw()
    seed_everything(0, 7, 3)
    assert draw() == first
    for place in ((0, 7, 4), (0, 8, 3), (1, 7, 3)):
        seed_everything(*place)
        assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_an_index_is_a_number_that_keeps_its_seed():
    index = SeededIndex(17, (1, 2))
    assert [*range(20)][index] == 17
    assert (index % 5, index - 3) == (2, 14)
    assert (index % 5).seed == (index - 3).seed == (1, 2)
