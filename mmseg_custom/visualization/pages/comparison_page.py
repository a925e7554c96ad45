"""The page of ``tools/compare.py``: several trainings side by side in one HTML file."""

import os

from mmseg_custom.utils import atomic_path

from .html import render_page
from .line_chart import LineChart, line_chart

CHARTS = (
    ('Validation: mIoU, %', 'val', 'mIoU'),
    ('Loss', 'train', 'loss'),
    ('Learning rate', 'train', 'lr'),
    ('Seconds of an iteration', 'train', 'time'),
)


def write_comparison_page(path: str | os.PathLike, comparison: dict) -> None:
    """Write the page atomically.

    Args:
        path: The HTML file.
        comparison: What :func:`mmseg_custom.runs.run_comparison.compare_runs` returned.
    """
    page = render_page(
        'comparison.html.j2',
        scripts=('charts.js.j2',),
        comparison=comparison,
        charts=comparison_charts(comparison),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding='utf-8')


def comparison_charts(comparison: dict) -> list[LineChart]:
    """Return the charts for which there are values; each run has one color in all of them.

    Args:
        comparison: See :func:`write_comparison_page`.
    """
    charts = []
    for title, kind, curve in CHARTS:
        of_run = comparison[kind].get(curve, {})
        # A run without this curve keeps its color for the others.
        charts.append(line_chart(title, {name: of_run.get(name) for name in comparison['names']}))
    return [chart for chart in charts if chart]
