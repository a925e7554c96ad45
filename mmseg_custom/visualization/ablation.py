"""A chart of experiments: mean, spread and every seed."""

import os
from collections.abc import Sequence

import numpy as np

from mmseg_custom.utils import atomic_path

INK, BAR = '#1e1e1e', '#9db8d9'


def draw_ablation(path: str | os.PathLike, rows: Sequence[dict]) -> None:
    """Write a bar an experiment with its standard deviation and a dot a seed.

    Args:
        path: The picture to write atomically.
        rows: What :func:`mmseg_custom.runs.ablation.summarize` returned.
    """
    # Without pyplot, no window system is ever looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.2 + 0.45 * len(rows)), layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    places = np.arange(len(rows))
    means, spreads = ([row[key] for row in rows] for key in ('mean', 'std'))
    axis.barh(places, means, xerr=spreads, color=BAR, ecolor=INK, capsize=3)
    for place, row in enumerate(rows):
        axis.plot(row['mIoU'], [place] * len(row['mIoU']), 'o', color=INK, markersize=3)
    axis.axvline(means[0], color=INK, linestyle='dashed', linewidth=1)
    axis.set_yticks(places, [row['name'] for row in rows])
    axis.invert_yaxis()
    axis.set_xlabel('mIoU, % (bar: mean, whisker: standard deviation, dots: seeds)')
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)
