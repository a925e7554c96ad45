import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmseg_custom.coco.run_lengths import decode_counts
from mmseg_custom.coco.segmentation import compact_segmentation, segmentation_area
from mmseg_custom.coco.segmentation_check import segmentation_problem


@given(st.lists(st.lists(st.integers(1, 100_000), min_size=1, max_size=9), min_size=1, max_size=4))
def test_decodes_what_pycocotools_encodes(many_runs):
    strings = []
    for runs in many_runs:
        rle = {'size': [sum(runs), 1], 'counts': runs}
        strings.append(mask_utils.frPyObjects(rle, *rle['size'])['counts'])
    decoded = decode_counts(strings)
    assert [list(runs) for runs in decoded] == many_runs


@pytest.mark.parametrize('strings', [[b''], [b'52', b''], [b'P'], [b'52', b'5P']])
def test_a_string_cut_short_is_refused(strings):
    with pytest.raises(ValueError, match='cut short'):
        decode_counts(strings)


def test_whole_numbers_are_kept_small_and_fractions_exact():
    whole, fraction = compact_segmentation([[0, 0, 511, 0, 511, 511], [0.1, 0, 5, 0, 5, 5.5]])
    assert whole.dtype == np.int16
    assert fraction.dtype == np.float64
    assert fraction.tolist() == [0.1, 0, 5, 0, 5, 5.5]


def test_area_counts_overlapping_polygons_once():
    square = [2, 2, 12, 2, 12, 12, 2, 12]
    one = segmentation_area(compact_segmentation([square]), 20, 20)
    two = segmentation_area(compact_segmentation([square, square]), 20, 20)
    assert one == two == 100


@pytest.mark.parametrize('place', range(6))
@pytest.mark.parametrize(
    ('value', 'words'),
    [
        (float('nan'), 'NaN'),
        (float('inf'), 'NaN or infinite'),
        (-1.5, 'outside the image'),
        (41.5, 'outside the image'),
        (10**400, 'no number'),
        ('x', 'no number'),
        (None, 'NaN'),
        ([1, 2], 'no number'),
    ],
)
def test_one_wrong_value_is_found_wherever_it_is(value, words, place):
    polygon = [1, 2, 30, 4, 30.5, 20]
    assert segmentation_problem([polygon], 40, 40) is None
    polygon[place] = value
    assert words in segmentation_problem([polygon], 40, 40)


@pytest.mark.parametrize('polygon', [[[1, 2]] * 6, [[]] * 6, [[1]] * 6])
def test_a_list_of_points_is_no_list_of_numbers(polygon):
    assert 'no number' in segmentation_problem([polygon], 40, 40)


def test_width_and_height_limit_their_own_coordinates():
    assert segmentation_problem([[0, 0, 61, 0, 61, 31]], 30, 60) is None
    assert 'outside' in segmentation_problem([[0, 0, 61, 0, 30, 31.5]], 30, 60)
    assert 'outside' in segmentation_problem([[0, 0, 61.5, 0, 30, 31]], 30, 60)
