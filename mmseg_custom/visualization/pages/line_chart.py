"""Line charts for web pages: where everything lies; ``charts.html.j2`` draws it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .html import short

# Okabe and Ito's colors, which color-blind readers can tell apart; the next lines are dashed.
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8a6d00', '#3a9bd0', '#4d4d4d')
DASHES = ('', '7 4', '2 3')
WIDTH, HEIGHT = 460, 260
RIGHT, TOP, BOTTOM = 12, 10, 34
# Room for the labels of the vertical axis: least, and for each character.
LEFT, CHARACTER = 30, 7.5
TICKS = 5
# Curves of few points have a dot at each.
DOTTED = 20


@dataclass(frozen=True)
class Line:
    """A curve as it is drawn.

    Attributes:
        name: For the legend.
        color: Of the stroke, CSS.
        dashes: SVG's ``stroke-dasharray``, empty for a solid line.
        points: ``x``, and ``y`` to five digits.
        places: ``x`` and ``y`` in the drawing's units.
        dotted: Whether each point has a dot.
    """

    name: str
    color: str
    dashes: str
    points: list[tuple[float, float]]
    places: list[tuple[float, float]]
    dotted: bool


@dataclass(frozen=True)
class LineChart:
    """A chart.

    Attributes:
        title: What it shows, with the unit.
        lines: At least one.
        x_ticks: Place and text of each mark below.
        y_ticks: Place and text of each mark at the left.
        frame: Left, top, right and bottom of the part inside the axes.
        width: Width of the drawing, in pixels.
        height: Height of the drawing, in pixels.
    """

    title: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    frame: tuple[int, int, int, int]
    width: int = WIDTH
    height: int = HEIGHT


def line_chart(title: str, curves: Mapping[str, Mapping[int, float] | None]) -> LineChart | None:
    """Lay out curves over iterations; the vertical axis begins at 0 or below.

    Args:
        title: What is shown, with the unit.
        curves: Finite values by iteration, ascending, by name. One without values is left out, and
            its color too, so that the same names in the same order have the same colors.

    Returns:
        LineChart | None: None if there is nothing to draw.
    """
    points_of = {name: list((curve or {}).items()) for name, curve in curves.items()}
    every = [point for points in points_of.values() for point in points]
    if not every:
        return None
    x_marks = _marks([x for x, _ in every], whole=True)
    y_marks = _marks([y for _, y in every])
    longest = max(len(short(y)) for y in y_marks)
    frame = left, top, right, bottom = (
        max(LEFT, round(CHARACTER * longest) + 10),
        TOP,
        WIDTH - RIGHT,
        HEIGHT - BOTTOM,
    )

    def place(x: float, y: float) -> tuple[float, float]:
        return _place(x, x_marks, left, right), _place(y, y_marks, bottom, top)

    return LineChart(
        title,
        [
            _line(number, name, points, place)
            for number, (name, points) in enumerate(points_of.items())
            if points
        ],
        [(place(x, 0)[0], short(x)) for x in x_marks],
        [(place(0, y)[1], short(y)) for y in y_marks],
        frame,
    )


def _line(number: int, name: str, points: list[tuple[int, float]], place: Callable) -> Line:
    return Line(
        name=name,
        color=COLORS[number % len(COLORS)],
        dashes=DASHES[number // len(COLORS) % len(DASHES)],
        points=[(x, float(f'{y:.5g}')) for x, y in points],
        places=[place(x, y) for x, y in points],
        dotted=len(points) <= DOTTED,
    )


def _marks(values: Sequence[float], whole: bool = False) -> list[float]:
    """Return round numbers from 0, or below, to the largest value or above."""
    from matplotlib.ticker import MaxNLocator

    low, high = min(0, *values), max(0, *values)
    locator = MaxNLocator(TICKS, integer=whole)
    # `low` is 0 or a value: an axis of zeros alone still needs a length.
    return list(map(float, locator.tick_values(low, high if high > low else 1)))


def _place(value: float, marks: Sequence[float], start: float, end: float) -> float:
    share = (value - marks[0]) / (marks[-1] - marks[0])
    return round(start + share * (end - start), 1)
