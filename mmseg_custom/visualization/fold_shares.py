"""A chart of each class's fraction in each fold."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmseg_custom.utils import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, BAR_ROOM = '#1e1e1e', 0.8


def draw_fold_shares(
    path: str | os.PathLike,
    panels: Sequence[tuple[str, np.ndarray, np.ndarray]],
    classes: Sequence[str],
) -> None:
    """Write the chart of :func:`fold_shares_figure` to a file.

    Args:
        path: The picture to write atomically.
        panels: See there.
        classes: Names of the classes.
    """
    figure = fold_shares_figure(panels, classes)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)


def fold_shares_figure(
    panels: Sequence[tuple[str, np.ndarray, np.ndarray]],
    classes: Sequence[str],
    folds: Sequence[str] | None = None,
) -> 'Figure':
    """Draw bars of the fractions in the folds, with a line at that of the full set.

    Args:
        panels: Two for a row of the picture: title, shares in the folds ``(folds, classes)``,
            shares in the full set ``(classes,)``.
        classes: Names of the classes.
        folds: Names of the folds; ``fold 0``, ``fold 1``, … if None.

    Returns:
        matplotlib.figure.Figure: The chart.
    """
    # Without pyplot, no window system is ever looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 4 * -(-len(panels) // 2)), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(-(-len(panels) // 2), 2, sharey='row', squeeze=False).ravel()
    for axis, (title, shares, whole) in zip(axes, panels, strict=True):
        _draw_panel(axis, shares, whole, folds or [f'fold {fold}' for fold in range(len(shares))])
        axis.set_title(title, fontsize=11)
        axis.set_xticks(range(len(classes)), classes, rotation=30, ha='right')
        axis.set_ylabel('fraction, %')
    axes[0].legend(fontsize=9)
    return figure


def _draw_panel(axis, shares: np.ndarray, whole: np.ndarray, folds: Sequence[str]) -> None:
    places, width = np.arange(shares.shape[1]), BAR_ROOM / len(shares)
    for fold, (name, row) in enumerate(zip(folds, shares, strict=True)):
        left = places - BAR_ROOM / 2 + (fold + 0.5) * width
        # A dollar sign would start a formula.
        label = name.replace('$', r'\$') if len(shares) <= 10 else None
        axis.bar(left, 100 * row, width, label=label)
    axis.hlines(
        100 * whole,
        places - BAR_ROOM / 2,
        places + BAR_ROOM / 2,
        INK,
        'dashed',
        label='complete set',
    )
