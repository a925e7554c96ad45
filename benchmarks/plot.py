"""Pictures of what was measured."""

import os
from collections.abc import Sequence

from mmseg_custom.utils import atomic_path

from .timing import Comparison

INK, OURS, MISSED = '#1e1e1e', '#2f7d5b', '#c4572e'
# As wide as fits beside the bars.
LETTERS = 60


def draw_ratios(path: str | os.PathLike, results: Sequence[Comparison]) -> None:
    """Draw a bar a comparison: ratio, spread as a whisker, goal as a tick, and peer.

    Args:
        path: The picture, written atomically.
        results: At least one.
    """
    figure, axis = _figure((10, 1.2 + 0.62 * len(results)))
    places = range(len(results))
    ratios = [result.ratio for result in results]
    spread = [
        [result.ratio - result.ratio_low for result in results],
        [result.ratio_high - result.ratio for result in results],
    ]
    colors = [OURS if result.ratio <= result.goal else MISSED for result in results]
    axis.barh(places, ratios, 0.5, color=colors, xerr=spread, ecolor=INK, capsize=3)
    goals = [result.goal for result in results]
    axis.scatter(goals, places, s=400, marker='|', color=INK, linewidths=2, label='goal')
    axis.axvline(1, color=INK, linestyle='dotted', linewidth=1, label="as long as the peer's")
    axis.set_yticks(places, [_label(result) for result in results], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("our time / the peer's, median and range of the rounds; less is better")
    figure.legend(loc='outside upper right', ncols=2, fontsize=8)
    _save(figure, path)


def _label(result: Comparison) -> str:
    from textwrap import shorten

    name = shorten(result.name.partition(' (')[0], LETTERS, placeholder=' …')
    return f'{name}\nagainst {shorten(result.peer, LETTERS, placeholder=" …")}'


def draw_scale(path: str | os.PathLike, curves: dict[str, dict]) -> None:
    """Draw seconds and memory over the number of images, both axes logarithmic.

    Args:
        path: The picture, written atomically.
        curves: For each kind of work ``images``, ``seconds`` and ``mebibytes``, lists of one
            length.
    """
    figure, axes = _figure((10, 4), 2)
    for name, curve in curves.items():
        axes[0].loglog(curve['images'], curve['seconds'], 'o-', label=name)
        axes[1].loglog(curve['images'], curve['mebibytes'], 'o-', label=name)
    images = next(iter(curves.values()))['images']
    slope = [2 * number / images[0] for number in images]
    axes[0].loglog(images, slope, color=INK, linestyle='dotted', label='slope of linear growth')
    for axis, what in zip(axes, ('seconds in one process', 'peak memory, MiB'), strict=True):
        axis.set_xlabel('images')
        axis.set_ylabel(what)
        axis.grid(which='major', alpha=0.3)
        axis.legend(fontsize=8)
    _save(figure, path)


def draw_gains(
    path: str | os.PathLike, gains: dict[str, dict[str, tuple[float, float, float]]], what: str
) -> None:
    """Draw a panel for each group: the gain of each arm with its interval.

    Args:
        path: The picture, written atomically.
        gains: By group and arm: mean, lower and upper limit.
        what: Name of the axis.
    """
    names = list(dict.fromkeys(name for arms in gains.values() for name in arms))
    figure, axes = _figure((10, 1.2 + 0.4 * len(names)), len(gains))
    for axis, (group, arms) in zip([axes] if len(gains) == 1 else axes, gains.items(), strict=True):
        means, lows, highs = zip(*arms.values(), strict=True)
        spread = [
            [mean - low for mean, low in zip(means, lows, strict=True)],
            [high - mean for mean, high in zip(means, highs, strict=True)],
        ]
        colors = [OURS if low > 0 else MISSED for low in lows]
        places = [names.index(name) for name in arms]
        axis.barh(places, means, 0.5, color=colors, xerr=spread, ecolor=INK, capsize=3)
        # Every panel has the same arms in the same rows, and the first one names them.
        shown = axis.get_subplotspec().is_first_col()
        axis.set_yticks(range(len(names)), names if shown else [''] * len(names), fontsize=8)
        axis.axvline(0, color=INK, linewidth=1)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_title(group, fontsize=9)
    figure.supxlabel(what, fontsize=8)
    _save(figure, path)


def draw_forest(path: str | os.PathLike, groups: dict[str, list], what: str) -> None:
    """Draw a point and its interval for each arm, one group above the other, for a narrow screen.

    Args:
        path: The picture, written atomically.
        groups: By title, arms: name, value, and limits of its interval (or None).
        what: Name of the axis.
    """
    rows = sum(len(arms) + 2 for arms in groups.values())
    figure, axis = _figure((6, 0.8 + 0.3 * rows))
    place, places, names = 0, [], []
    for title, arms in groups.items():
        places.append(place)
        names.append(title)
        for name, value, limits in arms:
            place += 1
            low, high = limits or (value, value)
            color = OURS if low > 0 else MISSED if high < 0 else INK
            axis.plot([low, high], [place, place], color=color, linewidth=2)
            axis.plot([value], [place], 'o', color=color, markersize=6)
            places.append(place)
            names.append(name)
        place += 2
    axis.axvline(0, color=INK, linewidth=1)
    axis.set_yticks(places, names, fontsize=9)
    for label in axis.get_yticklabels():
        label.set_weight('bold' if label.get_text() in groups else 'normal')
    axis.set_ylim(place - 1, -1)
    axis.grid(axis='x', alpha=0.3)
    axis.set_xlabel(what)
    _save(figure, path)


def _figure(size: tuple[float, float], columns: int = 1):
    # Without pyplot, no window system is ever looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns)


def _save(figure, path: str | os.PathLike) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)
