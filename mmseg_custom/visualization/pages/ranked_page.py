"""The pages of next_photos and label_errors: pictures in an order, with a few lines each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import atomic_path

from .html import css_colors, picture_uri, render_page


@dataclass(frozen=True)
class RankedPicture:
    """One thing to look at.

    Attributes:
        pictures: What a picture shows, and a data URI; side by side.
        lines: Text below them; the first is bold.
    """

    pictures: Sequence[tuple[str, str]]
    lines: Sequence[str]


@dataclass(frozen=True)
class RankedSection:
    """A part of the page.

    Attributes:
        title: Heading.
        text: What it shows and how it is ordered.
        entries: In order.
    """

    title: str
    text: str
    entries: Sequence[RankedPicture]


def ranked_picture(
    pictures: Sequence[tuple[str, np.ndarray]], lines: Sequence[str]
) -> RankedPicture:
    """Encode small ``(H, W, 3)`` uint8 RGB pictures, each with what it shows."""
    return RankedPicture([(text, picture_uri(one)) for text, one in pictures], lines)


def write_ranked_page(
    path: str | os.PathLike,
    title: str,
    text: str,
    sections: Sequence[RankedSection],
    classes: ClassList,
    tool: str,
) -> None:
    """Write the page, atomically.

    Args:
        path: The HTML file.
        title: The page's title.
        text: Below it.
        sections: Its parts.
        classes: What the colors mean.
        tool: The command that made it.
    """
    page = render_page(
        'ranked.html.j2',
        title=title,
        text=text,
        sections=sections,
        classes=classes.names,
        colors=css_colors(classes),
        tool=tool,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding='utf-8')
