"""The page of ``tools/report.py``: a training's curves, scores and photos in one HTML file."""

import json
import math
import os
from collections.abc import Sequence

from mmseg_custom.utils import atomic_path

from .gallery import HEADINGS, Gallery, GalleryPhoto
from .html import render_page
from .line_chart import LineChart, line_chart

# Of those with the lowest IoU; a strip takes about 5 kB.
TABLE_PICTURES = 500
SCORES = ('mIoU', 'mF1', 'mBoundaryIoU', 'aAcc')
TIMES = ('time', 'data_time')


def write_report_page(
    path: str | os.PathLike, report: dict, gallery: Gallery | None, missing: Sequence[str] = ()
) -> None:
    """Write the page atomically.

    Args:
        path: The HTML file.
        report: What :func:`mmseg_custom.runs.report.make_report` returned.
        gallery: The validation photos, None if none were looked at.
        missing: Sentences about what could not be shown.
    """
    page = render_page(
        'report.html.j2',
        scripts=('charts.js.j2', 'photo_table.js.j2'),
        report=report,
        missing=missing,
        charts=report_charts(report['train'], report['val']),
        colors=report['colors'],
        headings=HEADINGS,
        gallery=gallery,
        rows=photo_rows(gallery.photos) if gallery else [],
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding='utf-8')


def report_charts(train: dict, val: dict) -> list[LineChart]:
    """Return the charts for which there are values.

    Args:
        train: Curves of the training, values by iteration, by name.
        val: Curves of the validations.
    """
    losses: dict[str, dict] = {}
    for name, curve in train.items():
        # With a single loss, the sum is the same curve.
        if 'loss' in name and curve not in losses.values():
            losses[name] = curve
    charts = (
        line_chart('Loss', losses),
        line_chart('Learning rate', _chosen(train, ('lr',))),
        line_chart('Validation, %', _chosen(val, SCORES)),
        line_chart('Seconds of an iteration', _chosen(train, TIMES)),
    )
    return [chart for chart in charts if chart]


def _chosen(curves: dict, names: Sequence[str]) -> dict:
    return {name: curves[name] for name in names if name in curves}


def photo_rows(photos: Sequence[GalleryPhoto]) -> list[dict]:
    """Return the rows of the table of all photos, the worst first.

    Args:
        photos: Those without IoU come last.

    Returns:
        list[dict]: ``photo``, whether it is ``pictured``, and ``ious`` (JSON, IoU by label).
    """
    ordered = sorted(photos, key=lambda photo: (math.isnan(photo.score.iou), photo.score.iou))
    return [
        dict(
            photo=photo,
            pictured=place < TABLE_PICTURES,
            ious=json.dumps({k: round(v, 4) for k, v in photo.score.class_ious.items()}),
        )
        for place, photo in enumerate(ordered)
    ]
