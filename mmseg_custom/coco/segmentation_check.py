"""What can be wrong with a segmentation in a JSON, and polygons clipped to the image."""

from itertools import chain
from math import isfinite
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from .run_lengths import decode_counts
from .segmentation import describe_mask

MIN_POLYGON_NUMBERS = 6
# TACO and other public sets have corners up to one pixel beyond the frame; pycocotools clips them.
FRAME_TOLERANCE = 1.0


def segmentation_problem(segmentation: object, height: int, width: int) -> str | None:
    """Return what is wrong with a segmentation as the JSON has it, or None.

    Args:
        segmentation: The JSON value.
        height: Image height in pixels.
        width: Image width in pixels.
    """
    if isinstance(segmentation, dict):
        return _rle_problem(segmentation, height, width)
    if not isinstance(segmentation, list) or not segmentation:
        return 'has no polygon and no RLE in "segmentation": give it one, or drop the annotation'
    for polygon in segmentation:
        problem = _polygon_problem(polygon, height, width)
        if problem:
            return problem
    return None


def clip_segmentation(segmentation: object, height: int, width: int) -> dict | None:
    """Return polygons that reach outside of the image as the RLE of what lies inside.

    They are rasterized by pycocotools on a larger canvas, so every pixel inside stays as it is.

    Args:
        segmentation: The JSON value.
        height: Image height in pixels.
        width: Image width in pixels.

    Returns:
        dict | None: A compressed RLE; None where less than half of the object lies inside, which
        rather is a wrong size of the image, or the value is no polygons.
    """
    if not isinstance(segmentation, list) or not segmentation:
        return None
    if any(_malformed_polygon(polygon) for polygon in segmentation):
        return None
    points = [np.array(polygon, np.float64).reshape(-1, 2) for polygon in segmentation]
    low = np.floor(np.minimum(np.vstack(points).min(axis=0), 0))
    high = np.ceil(np.maximum(np.vstack(points).max(axis=0), (width, height)))
    # Compared as floats: 1e308 as an integer is a negative size.
    with np.errstate(over='ignore'):
        size = high - low
    if (size > 2 * np.array([width, height])).any():
        return None
    shifted = [(one - low).ravel().tolist() for one in points]
    drawn = mask_utils.merge(mask_utils.frPyObjects(shifted, int(size[1]), int(size[0])))
    left, top = (-low).astype(np.int64).tolist()
    inside = mask_utils.decode(drawn)[top : top + height, left : left + width]
    if not 0 < mask_utils.area(drawn) <= 2 * int(inside.sum()):
        return None
    return describe_mask(inside)['segmentation']


def _malformed_polygon(polygon: object) -> str | None:
    """Return what is wrong with a polygon's form, wherever it lies; None where nothing is."""
    if not isinstance(polygon, list):
        return 'has a polygon that is no list of numbers: write it as [x0, y0, x1, y1, …]'
    if len(polygon) < MIN_POLYGON_NUMBERS:
        return f'has a polygon of fewer than 3 points ({len(polygon)} numbers): drop it'
    if len(polygon) % 2:
        return f'has a polygon of {len(polygon)} numbers, an odd count: one coordinate is missing'
    try:
        points = np.array(polygon, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        points = None
    if points is None or points.ndim != 1:
        return 'has a polygon with a value that is no number: write it as [x0, y0, x1, y1, …]'
    if not np.isfinite(points).all():
        return 'has a polygon with a NaN or infinite coordinate: draw it again'
    return None


def _polygon_problem(polygon: object, height: int, width: int) -> str | None:
    if (
        isinstance(polygon, list)
        and len(polygon) >= MIN_POLYGON_NUMBERS
        and len(polygon) % 2 == 0
        and _is_inside(polygon, min(width, height) + FRAME_TOLERANCE)
    ):
        return None
    problem = _malformed_polygon(polygon)
    if problem:
        return problem
    points = np.array(polygon, dtype=np.float64).reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    if low.min() < -FRAME_TOLERANCE or (high > (width + 1, height + 1)).any():
        return (
            f'has a polygon outside the image (x {low[0]:g} to {high[0]:g}, '
            f'y {low[1]:g} to {high[1]:g}; the image is {width}x{height}): '
            "clip it, or correct the image's width and height"
        )
    return None


def _is_inside(polygon: list, limit: float) -> bool:
    """Return True, in a third of NumPy's time, for a valid polygon, as nearly all are.

    Args:
        polygon: Of anything.
        limit: No number is larger.
    """
    try:
        # A comparison with NaN says anything, but a sum with it is NaN.
        return min(polygon) >= -FRAME_TOLERANCE and max(polygon) <= limit and isfinite(sum(polygon))
    except (TypeError, OverflowError):
        return False


def _rle_problem(rle: dict, height: int, width: int) -> str | None:
    counts: Any = rle.get('counts')
    if rle.get('size') != [height, width]:
        return (
            f'has an RLE of size {rle.get("size")} on an image of [height, width] '
            f'[{height}, {width}]: make the mask again for this image'
        )
    try:
        if isinstance(counts, str):
            runs = decode_counts([counts.encode('ascii')])[0].tolist()
        else:
            runs = list(chain(counts))
        complete = all(isinstance(run, int) and run >= 0 for run in runs)
    except (TypeError, ValueError):
        complete = False
    if not complete:
        return 'has RLE counts that cannot be read: make the mask again'
    if sum(runs) != height * width:
        return (
            f'has RLE counts for {sum(runs)} pixels on an image of {height * width}: '
            'make the mask again for this image'
        )
    return None
