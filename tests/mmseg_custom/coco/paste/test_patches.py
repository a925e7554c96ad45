import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_custom.coco.paste.patches import (
    MIN_PIXELS,
    Placement,
    cut_patch,
    draw_placement,
    fit_patch,
    paste_pixels,
)


def photo_of(seed, height=40, width=50):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def blob(height=40, width=50, center=(25, 18), axes=(9, 6)):
    return cv2.ellipse(np.zeros((height, width), np.uint8), center, axes, 30, 0, 360, 1, -1)


@pytest.mark.parametrize('flip', [False, True])
def test_a_pasted_object_is_an_exact_copy(flip):
    photo, inside, target = photo_of(0), blob(), photo_of(1)
    before = target.copy()
    patch = cut_patch(photo, inside, 4)
    height, width = patch.mask.shape
    pixels, mask = fit_patch(patch, Placement(7, 5, width, height, flip))
    paste_pixels(target, pixels, mask, 7, 5)
    expected = before.copy()
    for y, x in zip(*np.nonzero(inside), strict=True):
        column = patch.left + width - 1 - x if flip else x - patch.left
        expected[5 + y - patch.top, 7 + column] = photo[y, x]
    assert np.array_equal(target, expected)
    assert mask.sum() == inside.sum()


@given(
    scale=st.floats(0.05, 30),
    seed=st.integers(0, 1000),
    frame=st.tuples(st.integers(8, 90), st.integers(8, 90)),
)
def test_an_object_stays_whole_and_inside_the_frame(scale, seed, frame):
    patch = cut_patch(photo_of(0), blob(), 1)
    place = draw_placement(np.random.default_rng(seed), patch, frame, (scale, scale))
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + place.width <= frame[1]
    assert place.top + place.height <= frame[0]
    pixels, mask = fit_patch(patch, place)
    assert mask.shape == pixels.shape[:2] == (place.height, place.width)
    assert set(np.unique(mask)) <= {0, 1}
    # As large as asked for, or as the frame lets it be.
    height, width = patch.mask.shape
    room = min(scale, frame[0] / height, frame[1] / width)
    assert abs(place.height - max(1, height * room)) <= 1
    assert abs(place.width - max(1, width * room)) <= 1


def test_placements_are_spread_over_the_frame():
    patch = cut_patch(photo_of(0), blob(), 1)
    places = [
        draw_placement(np.random.default_rng(seed), patch, (120, 100), (0.5, 2))
        for seed in range(300)
    ]
    assert 0.4 < np.mean([p.flip for p in places]) < 0.6
    assert min(p.left for p in places) < 5
    assert max(p.left + p.width for p in places) > 95
    scales = np.array([p.height / patch.mask.shape[0] for p in places])
    assert scales.min() < 0.6
    assert scales.max() > 1.9


def test_specks_are_no_objects():
    inside = np.zeros((40, 50), np.uint8)
    inside.ravel()[: MIN_PIXELS - 1] = 1
    assert cut_patch(photo_of(0), inside, 1) is None
    inside.ravel()[:MIN_PIXELS] = 1
    assert cut_patch(photo_of(0), inside, 1) is not None


def test_a_feathered_rim_lies_inside_and_fades():
    target = np.zeros((60, 60, 3), np.uint8)
    pixels = np.full((40, 40, 3), 200, np.uint8)
    mask = blob(40, 40, (20, 20), (15, 15))
    paste_pixels(target, pixels, mask, 10, 10, feather=3)
    inner = cv2.erode(mask, np.ones((11, 11), np.uint8)).astype(bool)
    window = target[10:50, 10:50]
    assert (window[inner] == 200).all()
    assert (window[mask == 0] == 0).all()
    rim = window[(mask == 1) & (cv2.erode(mask, np.ones((3, 3), np.uint8)) == 0)]
    assert (rim > 0).all()
    assert (rim < 200).all()
    assert target.sum() == window.sum()
