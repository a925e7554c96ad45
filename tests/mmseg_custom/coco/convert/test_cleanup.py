"""The clean-up steps equal naive loops and leave alone what they should."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmseg_custom.coco import IGNORE_INDEX, drop_specks, mode_filter

MASKS = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.sampled_from([0, 0, 0, 1, 1, 2, 10, IGNORE_INDEX]),
)


def around(mask, row, column):
    """The places of the 3x3 pixels around one, as far as they lie in the frame."""
    for r in range(max(0, row - 1), min(mask.shape[0], row + 2)):
        for c in range(max(0, column - 1), min(mask.shape[1], column + 2)):
            yield r, c


def naive_rank(mask):
    """Labels by falling area, then by the first pixel."""
    areas = Counter(mask.ravel().tolist())
    return sorted(areas, key=lambda label: (-areas[label], mask.ravel().tolist().index(label)))


def naive_mode_filter(mask):
    rank = naive_rank(mask)
    result = mask.copy()
    for row, column in np.ndindex(mask.shape):
        own = mask[row, column]
        if own == IGNORE_INDEX:
            continue
        votes = Counter(int(mask[p]) for p in around(mask, row, column) if mask[p] != IGNORE_INDEX)
        modes = [label for label, count in votes.items() if count == max(votes.values())]
        result[row, column] = own if own in modes else min(modes, key=rank.index)
    return result


def naive_components(mask):
    """All 8-connected components of one label, ignore left out, as sets of places."""
    left = {place for place in np.ndindex(mask.shape) if mask[place] != IGNORE_INDEX}
    while left:
        component, todo = set(), [left.pop()]
        while todo:
            place = todo.pop()
            component.add(place)
            new = {p for p in around(mask, *place) if p in left and mask[p] == mask[place]}
            left -= new
            todo += new
        yield component


def naive_drop_specks(mask, min_pixels):
    result, rank = mask.copy(), naive_rank(mask)
    specks = [c for c in naive_components(mask) if len(c) < min_pixels]
    while specks:
        unsettled, decided = set().union(*specks), []
        for speck in specks:
            ring = {p for place in speck for p in around(mask, *place)} - unsettled
            votes = Counter(int(result[p]) for p in ring if mask[p] != IGNORE_INDEX)
            if votes:
                label = min(votes, key=lambda label: (-votes[label], rank.index(label)))
                decided.append((speck, label))
        if not decided:
            break
        for speck, label in decided:
            specks.remove(speck)
            for place in speck:
                result[place] = label
    return result


@given(MASKS)
@settings(max_examples=150)
def test_mode_filter_equals_a_naive_loop(mask):
    before = mask.copy()
    np.testing.assert_array_equal(mode_filter(mask), naive_mode_filter(mask))
    np.testing.assert_array_equal(mask, before)


@given(MASKS, st.integers(0, 12))
@settings(max_examples=200)
def test_drop_specks_equals_a_naive_loop(mask, min_pixels):
    before = mask.copy()
    wanted = naive_drop_specks(mask, min_pixels)
    np.testing.assert_array_equal(drop_specks(mask, min_pixels), wanted)
    np.testing.assert_array_equal(mask, before)


@given(MASKS.filter(lambda mask: IGNORE_INDEX not in mask), st.integers(1, 9))
@settings(max_examples=100)
def test_no_speck_is_left_where_anything_is_large_enough(mask, min_pixels):
    if max(map(len, naive_components(mask))) < min_pixels:
        np.testing.assert_array_equal(drop_specks(mask, min_pixels), mask)
        return
    sizes = map(len, naive_components(drop_specks(mask, min_pixels)))
    assert min(sizes) >= min_pixels


@given(MASKS, st.permutations(range(11)), st.integers(0, 12))
@settings(max_examples=200)
def test_another_order_of_the_classes_changes_no_clean_up(mask, order, min_pixels):
    table = np.full(256, IGNORE_INDEX, np.uint8)
    table[: len(order)] = order
    np.testing.assert_array_equal(mode_filter(table[mask]), table[mode_filter(mask)])
    wanted = table[drop_specks(mask, min_pixels)]
    np.testing.assert_array_equal(drop_specks(table[mask], min_pixels), wanted)


def test_a_tie_keeps_the_own_label_else_takes_the_larger_area_else_the_first():
    mask = np.array([[1, 1, 1], [2, 0, 2], [2, 0, 0]], np.uint8)
    assert mode_filter(mask)[1, 1] == 0
    mask = np.array([[2, 2, 2], [1, 0, 1], [1, 4, 5]], np.uint8)
    assert mode_filter(mask)[1, 1] == 2
    mask = np.array([[2, 2, 2, 4, 4], [1, 0, 1, 4, 4], [1, 4, 5, 1, 4]], np.uint8)
    assert mode_filter(mask)[1, 1] == 1


@pytest.mark.parametrize('clean', [mode_filter, lambda mask: drop_specks(mask, 5)])
def test_ignored_pixels_stay_and_do_not_vote(clean):
    mask = np.full((5, 5), IGNORE_INDEX, np.uint8)
    mask[2, 2] = 3
    np.testing.assert_array_equal(clean(mask), mask)


def test_specks_take_what_is_around_them_also_at_the_border_and_in_a_bottle():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 6
    wanted = mask.copy()
    mask[9, 9] = 0  # a hole
    mask[10, 12] = 4  # a speck on the bottle
    mask[0, 0] = mask[19, 19] = 3  # specks in the corners
    np.testing.assert_array_equal(drop_specks(mask, 2), wanted)
    np.testing.assert_array_equal(drop_specks(mask, 1), mask)


def test_a_speck_among_specks_waits_for_them():
    mask = np.array([[1, 1, 1, 2, 3]], np.uint8)
    np.testing.assert_array_equal(drop_specks(mask, 2), np.ones((1, 5), np.uint8))
