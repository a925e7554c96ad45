import numpy as np

from mmseg_custom.utils.colors import color_distance, distinct_colors


def test_colors_are_distinct_and_a_longer_list_begins_with_the_shorter():
    colors = distinct_colors(254)
    assert len(set(colors)) == 254
    assert distinct_colors(7) == colors[:7]
    assert np.array(colors).min() >= 0 and np.array(colors).max() <= 255


def test_red_and_green_of_equal_lightness_are_close_for_somebody():
    # The classic pair that deuteranopes confuse.
    assert color_distance((200, 80, 80), (110, 120, 80)) < color_distance(
        (0, 0, 255), (255, 200, 0)
    )
    assert color_distance((9, 9, 9), (9, 9, 9)) == 0


def test_eight_colors_are_far_apart():
    colors = distinct_colors(8)
    assert min(color_distance(a, b) for i, a in enumerate(colors) for b in colors[:i]) > 25
