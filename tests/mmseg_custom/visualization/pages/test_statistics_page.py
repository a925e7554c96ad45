import numpy as np
from matplotlib import colormaps

from mmseg_custom.visualization.pages.statistics_page import (
    bin_rows,
    count_rows,
    heat_map,
    size_rows,
)


def test_many_objects_share_a_row():
    images = [0] * 200
    images[0], images[6], images[7], images[101], images[199] = 1, 2, 3, 4, 5
    rows = dict(count_rows(images))
    assert (rows['0'], rows['5'], rows['6–7'], rows['101 or more']) == (1, 0, 5, 9)
    assert sum(rows.values()) == 15
    assert list(count_rows([3, 1])) == [('0', 3), ('1', 1)]
    assert list(count_rows([])) == []


def test_empty_ends_of_a_histogram_are_left_out():
    assert list(bin_rows([0, 0.1, 0.2, 0.3, 0.4], [0, 2, 0, 1], ' %', 100)) == [
        ('10–20 %', 2),
        ('20–30 %', 0),
        ('30–40 %', 1),
    ]
    assert list(bin_rows([0, 1], [0])) == []


def test_rare_image_sizes_share_a_row():
    sizes = [dict(width=100 + i, height=50, images=20 - i) for i in range(14)]
    rows = size_rows(sizes)
    assert rows[0] == ('100 × 50', 20)
    assert rows[11:] == [('111 × 50', 9), ('2 other sizes', 15)]
    assert len(size_rows(sizes[:12])) == 12


def test_heat_maps_have_viridis_colors():
    found = heat_map(np.array([[0, 0.1], [0.05, 0.2]]))
    expected = colormaps['viridis']([[0, 0.5], [0.25, 1]], bytes=True)[..., :3]
    np.testing.assert_allclose(found.astype(int), expected, atol=4)
