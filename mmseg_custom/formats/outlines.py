"""Outlines of masks: polygons that pycocotools rasterizes to exactly the same pixels.

An outline follows the edges of pixels, so its corners are whole numbers. Polygons are filled by
the even-odd rule: a line that is passed twice, there and back, has no effect. This is how one
polygon holds a hole, or several parts: it reaches each over such a bridge.
"""

from collections.abc import Sequence

import cv2
import numpy as np

Polygon = np.ndarray


def outlines(mask: np.ndarray) -> list[list[Polygon]]:
    """Return the closed outlines of each connected part of a mask.

    Args:
        mask: ``(H, W)``, not 0 where the object is.

    Returns:
        list[list[np.ndarray]]: For each 8-connected part its loops, ``(P, 2)`` int32 of x and y;
        the one around the largest area is first, the others are holes (or touch it at a corner).
    """
    count, parts, boxes, _ = cv2.connectedComponentsWithStats((mask != 0).astype(np.uint8))
    found = []
    for number in range(1, count):
        left, top, width, height = boxes[number, :4].tolist()
        crop = parts[top : top + height, left : left + width] == number
        loops = [loop + np.array([left, top], np.int32) for loop in _loops(crop)]
        found.append(sorted(loops, key=lambda loop: -abs(polygon_area(loop))))
    return found


def _loops(mask: np.ndarray) -> list[Polygon]:
    """Chain the corners of a bool mask: along a row two corners in turn are joined, as in columns.

    A corner where two pixels touch diagonally counts twice.
    """
    padded = np.pad(mask, 1)
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    times = (a ^ b ^ c ^ d).astype(np.int64)
    times[(a == d) & (b == c) & (a != b)] = 2
    y, x = np.nonzero(times)
    y, x = (np.repeat(one, times[times > 0]) for one in (y, x))
    in_row, in_column = np.lexsort((x, y)), np.lexsort((y, x))
    beside, above = np.empty(len(x), np.int64), np.empty(len(x), np.int64)
    for order, partner in ((in_row, beside), (in_column, above)):
        partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    left = np.ones(len(x), bool)
    loops = []
    for start in range(len(x)):
        if not left[start]:
            continue
        chain, place = [], start
        while left[place]:
            other = int(beside[place])
            left[place] = left[other] = False
            chain += [place, other]
            place = int(above[other])
        loops.append(np.stack([x[chain], y[chain]], axis=1).astype(np.int32))
    return loops


def polygon_area(polygon: Polygon) -> float:
    """Return the signed area inside of a ``(P, 2)`` polygon, in pixels."""
    x, y = np.asarray(polygon, np.float64).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def bridged(loops: Sequence[Polygon]) -> Polygon:
    """Join loops to one polygon of the same even-odd area, over bridges between near corners.

    Args:
        loops: ``(P, 2)`` each, at least one.

    Returns:
        np.ndarray: ``(P, 2)``.
    """
    from scipy.spatial import cKDTree

    joined, rest = loops[0], list(loops[1:])
    while rest:
        tree = cKDTree(joined)
        nearest = [tree.query(loop) for loop in rest]
        chosen = min(range(len(rest)), key=lambda place: nearest[place][0].min())
        loop = rest.pop(chosen)
        there = int(nearest[chosen][0].argmin())
        here = int(nearest[chosen][1][there])
        visit = np.concatenate([loop[there:], loop[: there + 1]])
        joined = np.concatenate([joined[: here + 1], visit, joined[here:]])
    return joined


def simplified(loop: Polygon, tolerance: float) -> tuple[Polygon, float]:
    """Leave out corners of a loop (Douglas-Peucker) as long as it stays near.

    Args:
        loop: ``(P, 2)``.
        tolerance: How far the outline may move, in pixels; 0: it stays.

    Returns:
        tuple[np.ndarray, float]: The loop, of at least 3 corners; how far it moved, in pixels:
        measured, and at most ``tolerance``.
    """
    epsilon = tolerance
    while epsilon > tolerance / 8:
        fewer = cv2.approxPolyDP(loop.astype(np.float32)[:, None], epsilon, True)[:, 0]
        if len(fewer) >= 3 and polygon_area(fewer):
            moved = distance(loop, fewer)
            if moved <= tolerance:
                return fewer.astype(loop.dtype), moved
        epsilon *= 0.7
    return loop, 0.0


def distance(points: Polygon, polygon: Polygon) -> float:
    """Return how far the farthest of ``(N, 2)`` points is from the line of a polygon, in pixels."""
    start = polygon.astype(np.float64)
    along = np.roll(start, -1, axis=0) - start
    lengths = np.maximum((along**2).sum(axis=1), 1e-12)
    farthest = 0.0
    for block in np.array_split(points.astype(np.float64), 1 + len(points) // 512):
        offset = block[:, None] - start[None]
        at = np.clip((offset * along).sum(axis=2) / lengths, 0, 1)
        gap = offset - at[..., None] * along
        if len(block):
            farthest = max(farthest, float((gap**2).sum(axis=2).min(axis=1).max()))
    return farthest**0.5
