"""One picture of many photos: photo, truth and prediction side by side."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from mmseg_custom.classes import ClassList

from .overlay import overlay

MARGIN, HEADER, LEGEND_ROW, SWATCH = 8, 26, 24, 14
INK, PAPER = (30, 30, 30), (255, 255, 255)


def contact_sheet(
    rows: Sequence[tuple[str, np.ndarray, Sequence[np.ndarray]]],
    classes: ClassList,
    headings: Sequence[str] = ('photo', 'truth', 'prediction'),
    columns: int = 2,
    cell: int = 224,
) -> Image.Image:
    """Draw a sheet of photos with their masks and a legend.

    Args:
        rows: For each photo a caption, the ``(H, W, 3)`` uint8 RGB photo and its ``(H, W)`` uint8
            label masks, one for each heading after the first.
        classes: What the labels mean.
        headings: What the pictures of a group are.
        columns: Groups beside each other.
        cell: Width and height in pixels that a picture is fitted into.

    Returns:
        Image.Image: The sheet, RGB.
    """
    group = len(headings) * (cell + 2) + MARGIN
    lines = -(-len(rows) // columns)
    legend, per_row = _legend_size(classes, columns * group)
    height = HEADER + lines * (cell + HEADER) + legend + MARGIN
    sheet = Image.new('RGB', (columns * group + MARGIN, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (caption, photo, masks) in enumerate(rows):
        left = MARGIN + (place % columns) * group
        top = HEADER + (place // columns) * (cell + HEADER)
        draw.text((left, top + cell + 4), caption, INK, font=_font(13))
        for number, picture in enumerate([photo, *(overlay(photo, m, classes) for m in masks)]):
            image = ImageOps.contain(Image.fromarray(picture), (cell, cell))
            sheet.paste(image, (left + number * (cell + 2), top))
    for column in range(columns):
        for number, heading in enumerate(headings):
            left = MARGIN + column * group + number * (cell + 2)
            draw.text((left, 5), heading, INK, font=_font(15))
    _draw_legend(draw, height - legend, per_row, classes)
    return sheet


def _legend_size(classes: ClassList, width: int) -> tuple[int, int]:
    """Return the legend's height in pixels and its entries a row."""
    per_row = max(1, width // 130)
    return -(-len(classes) // per_row) * LEGEND_ROW, per_row


def _draw_legend(draw, top: int, per_row: int, classes: ClassList) -> None:
    for label, name in enumerate(classes.names):
        left = MARGIN + (label % per_row) * 130
        y = top + (label // per_row) * LEGEND_ROW
        draw.rectangle((left, y, left + SWATCH, y + SWATCH), classes.colors[label], INK)
        draw.text((left + SWATCH + 5, y - 1), name, INK, font=_font(13))


def _font(size: int):
    return ImageFont.load_default(size)
