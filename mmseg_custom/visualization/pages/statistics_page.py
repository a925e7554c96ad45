"""Show all numbers and pictures of a set in one HTML file."""

import os
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.stats.findings import statistics_findings
from mmseg_custom.utils import atomic_path
from mmseg_custom.visualization.fold_shares import fold_shares_figure

from .html import css_colors, figure_svg, picture_uri, render_page, short
from .statistics_pictures import StatisticsPictures

# Where a histogram's row begins; rows of many objects are wider.
OBJECT_STEPS = (0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 21, 31, 51, 101)
SHOWN_SIZES = 12
# So that a single object has a bar that can be seen.
MIN_BAR = 0.006


def write_statistics_page(
    path: str | os.PathLike,
    statistics: dict,
    pictures: StatisticsPictures | None,
    classes: ClassList,
) -> None:
    """Write the page, atomically.

    Args:
        path: The HTML file.
        statistics: What is in ``statistics.json``.
        pictures: None when no photos were read.
        classes: What the labels mean.
    """
    shares, photos = statistics['object_sizes'], statistics['photos']
    page = render_page(
        'statistics.html.j2',
        statistics=statistics,
        findings=statistics_findings(statistics, classes),
        classes=classes,
        occurring=sum(statistics['classes'][label]['pixels'] > 0 for label in classes.foreground),
        colors=css_colors(classes),
        objects_per_image=list(count_rows(statistics['objects_per_image'])),
        object_sizes=list(bin_rows(shares['share_edges'], shares['objects'], ' %', 100)),
        grays=[
            list(bin_rows(photos[what]['edges'], photos[what]['images']))
            for what in ('brightness', 'contrast')
            if photos
        ],
        size_ranges=list(_size_ranges(statistics)),
        sizes=size_rows(statistics['image_sizes']),
        positions=list(_positions(statistics, classes)),
        pictures=pictures and _uris(pictures),
        comparison_svg=statistics['comparison']
        and _comparison_svg(statistics['comparison'], classes),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding='utf-8')


def count_rows(images: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Join numbers of objects into the rows of a histogram.

    Args:
        images: How many images have 0, 1, 2, … objects.

    Yields:
        tuple[str, int]: ``4``, ``6–7`` or ``101 or more``, and the images.
    """
    for start, end in zip(OBJECT_STEPS, (*OBJECT_STEPS[1:], None), strict=True):
        if start >= len(images):
            return
        name = f'{start}–{end - 1}' if end else f'{start} or more'
        yield name if end != start + 1 else str(start), sum(images[start:end])


def bin_rows(
    edges: Sequence[float], counts: Sequence[int], unit: str = '', factor: float = 1
) -> Iterator[tuple[str, int]]:
    """Give the bins of a histogram names; empty ones at its ends are left out.

    Args:
        edges: One more than there are bins.
        counts: What is in the bins.
        unit: Stands behind the numbers.
        factor: Edges are multiplied by it.

    Yields:
        tuple[str, int]: ``16–32``, and what is there.
    """
    filled = np.flatnonzero(counts)
    for place in range(filled[0], filled[-1] + 1) if len(filled) else ():
        start, end = (short(factor * edge) for edge in edges[place : place + 2])
        yield f'{start}–{end}{unit}', counts[place]


def _size_ranges(statistics: dict) -> Iterator[tuple[dict, float, float, float]]:
    """Yield the classes that have objects, with start, length and median (0..1) of their bars."""
    smallest = np.log(statistics['object_sizes']['share_edges'][0])
    for entry in statistics['classes']:
        if entry['share_quartiles']:
            low, middle, high = np.log(np.maximum(entry['share_quartiles'], np.exp(smallest)))
            length = max((low - high) / smallest, MIN_BAR)
            yield entry, 1 - low / smallest, length, 1 - middle / smallest


def size_rows(sizes: Sequence[dict]) -> list[tuple[str, int]]:
    """Return names and numbers of the most frequent image sizes; the others are in one row."""
    rows = [(f'{size["width"]} × {size["height"]}', size['images']) for size in sizes]
    rest = rows[SHOWN_SIZES:]
    if rest:
        rows[SHOWN_SIZES:] = [(f'{len(rest)} other sizes', sum(images for _, images in rest))]
    return rows


def _positions(statistics: dict, classes: ClassList) -> Iterator[tuple[str, float, str]]:
    """Yield name, largest share of a cell, and heat map of all objects and of each class."""
    grids = np.array(statistics['positions'])
    named = [('All objects', grids[list(classes.foreground)].sum(axis=0))]
    named += [(classes.names[label], grids[label]) for label in classes.foreground]
    for name, grid in named:
        if grid.any():
            yield name, float(grid.max()), picture_uri(heat_map(grid), '.png')


def heat_map(values: np.ndarray) -> np.ndarray:
    """Return a picture of values, dark blue for 0 to yellow for the largest.

    Args:
        values: ``(H, W)`` float, at least 0, not all 0.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB.
    """
    scaled = np.round(255 * values / values.max()).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def _uris(pictures: StatisticsPictures) -> dict:
    return dict(
        darkest=[picture_uri(picture) for picture in pictures.darkest],
        brightest=[picture_uri(picture) for picture in pictures.brightest],
        examples=[[picture_uri(picture) for picture in shown] for shown in pictures.examples],
    )


def _comparison_svg(comparison: dict, classes: ClassList):
    panels = [
        (f'fraction of the {what}', np.array(shares['shares']), np.array(shares['whole']))
        for what, shares in ((what, comparison[what]) for what in ('annotations', 'pixels'))
    ]
    names = [classes.names[label] for label in classes.foreground]
    return figure_svg(fold_shares_figure(panels, names, comparison['groups']))
