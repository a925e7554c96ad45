"""The three forms of a COCO segmentation, made small.

A segmentation is a list of polygons, an uncompressed RLE (``counts`` is a list) or a compressed
RLE (``counts`` is a string). In memory ours has two forms: a tuple of polygon arrays, or the bytes
of a compressed RLE. Everything is turned into compressed RLE by pycocotools, so that its
rasterization rules hold to the pixel.
"""

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as mask_utils

Segmentation = tuple[np.ndarray, ...] | bytes


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
