"""The three forms of a COCO segmentation, checked and made small.

A segmentation is a list of polygons, an uncompressed RLE (``counts`` is a list) or a compressed
RLE (``counts`` is a string). In memory ours has two forms: a tuple of polygon arrays, or the bytes
of a compressed RLE. Everything is turned into compressed RLE by pycocotools, so that its
rasterisation rules hold to the pixel.
"""

from collections.abc import Sequence
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

Segmentation = tuple[np.ndarray, ...] | bytes

MIN_POLYGON_NUMBERS = 6
# TACO and other public sets have corners up to one pixel beyond the frame; pycocotools clips them.
FRAME_TOLERANCE = 1.0


def compact_segmentation(segmentation: list | dict) -> Segmentation:
    """Turn a valid COCO segmentation into its small form.

    Args:
        segmentation: As the JSON has it.

    Returns:
        tuple[np.ndarray, ...] | bytes: Polygons as ``(2 * P,)`` arrays ``x0, y0, x1, y1, …`` in
        pixels, int16 where that loses nothing and float64 otherwise; or compressed RLE counts.
    """
    if isinstance(segmentation, dict):
        counts = segmentation['counts']
        if isinstance(counts, list):
            counts = mask_utils.frPyObjects(segmentation, *segmentation['size'])['counts']
        return counts.encode('ascii') if isinstance(counts, str) else counts
    return tuple(_compact_polygon(polygon) for polygon in segmentation)


def _compact_polygon(polygon: Sequence[float]) -> np.ndarray:
    exact = np.array(polygon, dtype=np.float64)
    small = exact.astype(np.int16)
    return small if (small == exact).all() else exact


def segmentation_counts(segmentation: Segmentation, height: int, width: int) -> list[bytes]:
    """Return compressed RLE counts that together cover the segmentation.

    Args:
        segmentation: The small form.
        height: Image height in pixels.
        width: Image width in pixels.

    Returns:
        list[bytes]: One entry a polygon, or the one RLE.
    """
    if isinstance(segmentation, bytes):
        return [segmentation]
    rles = mask_utils.frPyObjects(list(segmentation), height, width)
    return [rle['counts'] for rle in rles]


def segmentation_rle(segmentation: Segmentation, height: int, width: int) -> dict:
    """Return one compressed RLE that covers the segmentation, as pycocotools takes it."""
    counts = segmentation_counts(segmentation, height, width)
    return mask_utils.merge([{'size': [height, width], 'counts': c} for c in counts])


def segmentation_area(segmentation: Segmentation, height: int, width: int) -> int:
    """Return the number of pixels that the segmentation covers."""
    return int(mask_utils.area(segmentation_rle(segmentation, height, width)))


def describe_mask(mask: np.ndarray) -> dict:
    """Return ``segmentation`` (a compressed RLE), ``area`` and ``bbox`` of an annotation.

    Args:
        mask: ``(H, W)`` bool or uint8 of 0 and 1.
    """
    rle = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    return dict(
        segmentation=dict(size=rle['size'], counts=rle['counts'].decode('ascii')),
        area=float(mask_utils.area(rle)),
        bbox=mask_utils.toBbox(rle).tolist(),
    )


def decode_counts(strings: Sequence[bytes]) -> list[np.ndarray]:
    """Decode compressed RLE counts, all strings in one vectorised pass.

    pycocotools gives the runs of a compressed RLE only by drawing the full mask, which costs more
    than everything else about painting. The format (``rleFrString`` in cocoapi's ``maskApi.c``):
    little-endian groups of 5 bits, 0x20 says that more follow, 0x10 in the last one is the sign,
    and from the fourth number on each is the difference to the one two places before.

    Args:
        strings: Compressed counts.

    Returns:
        list[np.ndarray]: For each string its int64 run lengths, in column-major order, a run of
        zeros first.

    Raises:
        ValueError: A string is empty or ends within a number.
    """
    if not strings:
        return []
    codes = np.frombuffer(b''.join(strings), np.uint8).astype(np.int64) - 48
    lasts = np.flatnonzero((codes & 0x20) == 0)
    string_ends = np.cumsum([len(string) for string in strings])
    numbers_until = np.searchsorted(lasts, string_ends - 1) + 1
    if (
        min(map(len, strings)) == 0
        or lasts.size < numbers_until[-1]
        or not np.array_equal(lasts[numbers_until - 1], string_ends - 1)
    ):
        raise ValueError('a compressed RLE is cut short')
    firsts = np.concatenate(([0], lasts[:-1] + 1))
    lengths = lasts - firsts + 1
    place = np.arange(codes.size) - np.repeat(firsts, lengths)
    numbers = np.add.reduceat((codes & 0x1F) << (5 * place), firsts)
    negative = (codes[lasts] & 0x10) != 0
    numbers[negative] -= 1 << (5 * lengths[negative])
    runs = np.split(numbers, numbers_until[:-1])
    for run in runs:
        run[1::2] = np.cumsum(run[1::2])
        run[2::2] = np.cumsum(run[2::2])
    return runs


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
