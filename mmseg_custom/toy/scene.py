"""Putting one photo together, with the annotations of what can be seen in it."""

from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from .background import background, light
from .objects import KINDS

BATTERY, CLOTHING, STYROFOAM = 9, 10, 7
# Every 40th image has one of the rare classes, so that every split of 40 images has both.
FORCED = {7: BATTERY, 23: CLOTHING}
FORCED_EVERY, EMPTY_EVERY, EMPTY_AT, CROWD_EVERY, CROWD_AT = 40, 25, 11, 15, 4
MIN_PIXELS = 12
MIN_RADIUS = 2.5
# So that what is forced always covers MIN_PIXELS: a battery is a third as wide as it is long.
MIN_FORCED_RADIUS = 4.0
LIKENESS = 0.95


def draw_scene(place: tuple[int, ...], index: int, size: int) -> tuple[np.ndarray, list[dict]]:
    """Draw the photo of one place in the set.

    Args:
        place: Seed of the photo.
        index: Number of the photo in its split; some numbers have rare classes, a crowd or nothing.
        size: Side in pixels.

    Returns:
        tuple[np.ndarray, list[dict]]: ``(size, size, 3)`` uint8 BGR, and annotations with
        ``category_id``, ``segmentation``, ``area``, ``bbox`` and ``iscrowd``. Painting them,
        larger area first, gives the label mask.
    """
    rng = np.random.default_rng(place)
    picture = background(rng, size)
    visible = []
    forced = FORCED.get(index % FORCED_EVERY)
    for label, is_crowd in _labels(rng, index):
        least = MIN_FORCED_RADIUS if label == forced else MIN_RADIUS
        drawn, mask, opacity = _draw_object(rng, label, is_crowd, size, least)
        _cast_shadow(picture, mask, size)
        weight = (opacity * mask)[..., None]
        picture = (1 - weight) * picture + weight * drawn
        for other in visible:
            other[1] &= ~mask
        visible.append([label, mask, is_crowd])
    picture = cv2.GaussianBlur(picture * light(rng, size), (3, 3), 0.6)
    picture = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    seen = [entry for entry in visible if entry[1].sum() >= MIN_PIXELS]
    return picture, [annotate(*entry) for entry in seen]


def _labels(rng, index: int) -> list[tuple[int, bool]]:
    """Choose what lies in a photo: (label, is a crowd), the lowest first."""
    if index % EMPTY_EVERY == EMPTY_AT:
        return []
    common = np.array([share for _, share, _ in KINDS])
    labels = rng.choice(len(KINDS), rng.integers(1, 7), p=common / common.sum()) + 1
    chosen = [(int(label), False) for label in labels]
    if index % CROWD_EVERY == CROWD_AT:
        chosen.append((STYROFOAM, True))
    forced = FORCED.get(index % FORCED_EVERY)
    return chosen + ([(forced, False)] if forced else [])


def _draw_object(rng, label: int, is_crowd: bool, size: int, least: float):
    drawer, _, (smallest, largest) = KINDS[label - 1]
    center = rng.uniform(0.08, 0.92, 2) * size
    radius = max(least, rng.uniform(smallest, largest) * size)
    if rng.random() < 0.06:
        radius = max(least, radius / 4)  # tiny parts
    drawn, mask, opacity = drawer(rng, size, center, radius)
    if is_crowd:
        mask = _pellets(rng, center, size)
    return drawn, mask, opacity


def _pellets(rng, center: np.ndarray, size: int) -> np.ndarray:
    """Return the mask of a heap of crumbs too many to annotate one by one."""
    mask = np.zeros((size, size), np.uint8)
    for x, y in rng.normal(center, 0.07 * size, (40, 2)):
        cv2.circle(mask, (int(x), int(y)), max(1, int(rng.uniform(0.006, 0.02) * size)), 1, -1)
    return mask.astype(bool)


def _cast_shadow(picture: np.ndarray, mask: np.ndarray, size: int) -> None:
    shift = max(1, size // 60)
    shadow = np.zeros(mask.shape, np.float32)
    shadow[shift:, shift:] = mask[:-shift, :-shift]
    picture *= 1 - 0.3 * cv2.GaussianBlur(shadow, (0, 0), max(1, size / 80))[..., None]


def annotate(label: int, mask: np.ndarray, is_crowd: bool) -> dict:
    """Describe a mask the way annotators and tools do.

    A crowd becomes an uncompressed RLE, a mask with a hole (or one that polygons would not follow
    closely) a compressed one, and everything else polygons.

    Args:
        label: 1..10, which is the category id too.
        mask: ``(H, W)`` bool.
        is_crowd: Whether it is many things in one.
    """
    rle = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    if is_crowd:
        segmentation: Any = {'size': list(mask.shape), 'counts': _runs(mask)}
    else:
        segmentation = _polygons(mask, rle)
        if isinstance(segmentation, list):
            rle = mask_utils.merge(mask_utils.frPyObjects(segmentation, *mask.shape))
        else:
            segmentation = {'size': list(mask.shape), 'counts': rle['counts'].decode()}
    return dict(
        category_id=label,
        segmentation=segmentation,
        area=float(mask_utils.area(rle)),
        bbox=[float(v) for v in mask_utils.toBbox(rle)],
        iscrowd=int(is_crowd),
    )


def _polygons(mask: np.ndarray, rle: dict) -> list[list[float]] | None:
    """Outline a mask; None where polygons cannot say it."""
    # OpenCV's outlines run through the centers of the border pixels, which pycocotools leaves out
    # on two sides; on twice the size they run between the centers and the edges.
    twice = cv2.resize(mask.astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    contours, hierarchy = cv2.findContours(twice, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if (hierarchy[..., 3] >= 0).any():
        return None
    polygons = [((contour.ravel() + 0.5) / 2).tolist() for contour in contours]
    drawn = mask_utils.merge(mask_utils.frPyObjects(polygons, *mask.shape))
    close = mask_utils.iou([drawn], [rle], [0])[0, 0] >= LIKENESS
    return polygons if close else None


def _runs(mask: np.ndarray) -> list[int]:
    """Return the uncompressed RLE counts of a mask, column by column, a run of zeros first."""
    flat = mask.ravel(order='F')
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    return [0, *runs] if flat[0] else runs
