"""Which sizes of photos a model takes."""

from collections.abc import Sequence
from typing import Any

from .photo_resize import PhotoResize
from .views import View

# Height and width of the photos that a graph is traced with, and that it is checked with.
EXAMPLE = (96, 160)
CHECKED = ((125, 90), (70, 201))


def side_limits(segmentor: Any, views: Sequence[View]) -> tuple[int, int] | None:
    """Return the smallest and the largest side of a photo, in pixels; None: there are none.

    Some transformers have one position embedding for each patch of a photo of one size: EoMT's
    photos are padded to it, those of BEiT need to have it, up to padding to the divisor.

    Args:
        segmentor: An mmseg ``EncoderDecoder``.
        views: What its test pipeline makes of a photo; one that resizes takes any.
    """
    if any(isinstance(step, PhotoResize) for view in views for step in view.steps):
        return None
    padding = segmentor.data_preprocessor.test_cfg or {}
    if padding.get('size'):
        return 1, min(padding['size'])
    sizes = [m.img_size for m in segmentor.modules() if getattr(m, 'strict_img_size', False)]
    if not any(sizes):
        return None
    largest = min(sizes[0])
    return largest - (padding.get('size_divisor') or 1) + 1, largest


def photo_sizes(limits: tuple[int, int] | None) -> list[tuple[int, int]]:
    """Return sizes ``(H, W)`` to trace with, first, and to check with, all different.

    Args:
        limits: See :func:`side_limits`.
    """
    if limits is None:
        return [EXAMPLE, *CHECKED]
    smallest, largest = limits
    half = max(smallest, largest // 2)
    return [(half, largest), (largest, half), (largest, largest)]
