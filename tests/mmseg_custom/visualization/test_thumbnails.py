import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_custom.visualization.thumbnails import crop_window, object_thumbnail, thumbnail


@pytest.mark.parametrize(
    ('shape', 'expected'), [((100, 200), (50, 100)), ((30, 20), (100, 67)), ((1, 900), (1, 100))]
)
def test_the_longer_side_is_as_asked(shape, expected):
    found = thumbnail(np.full((*shape, 3), 7, np.uint8), 100)
    assert found.shape == (*expected, 3)
    assert (found == 7).all()


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(*[st.floats(0, 1)] * 4),
)
def test_the_window_holds_the_object_and_is_a_square_in_the_frame(shape, ends):
    mask = np.zeros(shape, np.uint8)
    top, bottom = sorted(int(end * (shape[0] - 1)) for end in ends[:2])
    left, right = sorted(int(end * (shape[1] - 1)) for end in ends[2:])
    mask[top : bottom + 1, left : right + 1] = 1
    rows, columns = crop_window(mask)
    assert 0 <= rows.start <= top <= bottom < rows.stop <= shape[0]
    assert 0 <= columns.start <= left <= right < columns.stop <= shape[1]
    height, width = rows.stop - rows.start, columns.stop - columns.start
    assert height == width or min(height, width) in shape


def test_the_outline_runs_around_the_object():
    photo = np.full((200, 300, 3), 90, np.uint8)
    mask = np.zeros((200, 300), np.uint8)
    mask[80:120, 100:140] = 1
    found = object_thumbnail(photo, mask, (200, 10, 30), 120)
    assert found.shape == (120, 120, 3)
    # The window is 60 wide from 70, 90 on; the object's edges are at 10 / 60 and 50 / 60 of it.
    for at in (20, 99):
        assert np.abs(found[60, at].astype(int) - (200, 10, 30)).max() < 40
        assert np.abs(found[at, 60].astype(int) - (200, 10, 30)).max() < 40
    for at in ((60, 60), (60, 8), (8, 60), (112, 60)):
        assert (found[at] == 90).all()
    assert (photo == 90).all()


def test_a_thin_object_is_seen_in_a_small_picture():
    mask = np.zeros((1000, 1000), np.uint8)
    mask[500, 100:900] = 1
    found = object_thumbnail(np.zeros((1000, 1000, 3), np.uint8), mask, (255, 0, 0), 80)
    assert (found[..., 0].max(axis=0) > 100).sum() > 60
