import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_custom.visualization.pages.line_chart import COLORS, line_chart

values = st.floats(-1e5, 1e5).map(lambda value: round(value, 6))
curves = st.dictionaries(st.integers(0, 10**6), values, min_size=1, max_size=30)


@given(st.lists(curves, min_size=1, max_size=4))
def test_places_are_in_proportion_and_inside(many):
    chart = line_chart('a', {str(number): curve for number, curve in enumerate(many)})
    left, top, right, bottom = chart.frame
    every = [
        (point, place)
        for line in chart.lines
        for point, place in zip(line.points, line.places, strict=True)
    ]
    assert len(every) == sum(map(len, many))
    for axis, (start, end) in enumerate(((left, right), (bottom, top))):
        ticks = (chart.x_ticks, chart.y_ticks)[axis]
        assert {ticks[0][0], ticks[-1][0]} == {start, end}
        ordered = sorted((point[axis], place[axis]) for point, place in every)
        places = [place for _, place in ordered]
        assert places == sorted(places, reverse=start > end)
        assert all(min(start, end) <= place <= max(start, end) for place in places)


def test_ticks_are_where_their_values_are():
    chart = line_chart('a', {'b': {0: 0.0, 400: 30.0, 800: 40.0}})
    x_of, y_of = ({float(text): place for place, text in t} for t in (chart.x_ticks, chart.y_ticks))
    places = chart.lines[0].places
    assert places[1][0] == x_of[400]
    assert places[0] == (x_of[0], y_of[0])
    assert places[2][1] == y_of[40]


@pytest.mark.parametrize('highest', [1, 40, 6e-5, 123456, 0.00012])
def test_labels_of_the_vertical_axis_have_room(highest):
    chart = line_chart('a', {'b': {0: 0.0, 1: highest}})
    longest = max(len(text) for _, text in chart.y_ticks)
    # A digit of 12 pixels' height is about 7 wide; the text ends 6 before the axis.
    assert chart.frame[0] - 6 >= 7 * longest


@pytest.mark.parametrize('nothing', [{}, {'a': {}}, {'a': None}])
def test_nothing_to_draw(nothing):
    assert line_chart('a', nothing) is None


def test_a_run_keeps_its_color_where_another_has_no_curve():
    names = [str(number) for number in range(20)]
    whole = line_chart('a', {name: {1: 1.0} for name in names})
    styles = {line.name: (line.color, line.dashes) for line in whole.lines}
    assert len(set(styles.values())) == len(names)
    part = line_chart('b', {name: {1: 1.0} if int(name) % 2 else None for name in names})
    assert {line.name: (line.color, line.dashes) for line in part.lines} == {
        name: style for name, style in styles.items() if int(name) % 2
    }
    assert styles['0'][0] == COLORS[0]
