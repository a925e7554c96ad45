"""The polygons of an object, for formats that have no masks; and with fewer corners."""

from dataclasses import dataclass, replace

import numpy as np

from .model import LabeledObject, LabeledPhoto, PhotoSet
from .outlines import bridged, outlines, simplified


def polygons_of(photo: LabeledPhoto, one: LabeledObject) -> list[np.ndarray]:
    """Return the polygons of an object: its own, or one for each connected part of its mask.

    Returns:
        list[np.ndarray]: ``(P, 2)`` each, in pixels; together exactly its pixels.
    """
    if isinstance(one.segmentation, bytes):
        return [bridged(loops) for loops in outlines(photo.mask(one))]
    return [polygon.reshape(-1, 2) for polygon in one.segmentation]


def relative_polygon(photo: LabeledPhoto, one: LabeledObject, scale: np.ndarray) -> np.ndarray:
    """Return one ``(P, 2)`` polygon of exactly the pixels of an object, divided by a scale.

    Its own corners stay, unless the pixels would change: where polygons that are joined overlap, or
    where rounding moves a corner over the place at which pycocotools decides.

    Args:
        photo: The photo.
        one: Its object.
        scale: ``(2,)`` pixels of x and y that a reader multiplies with.
    """
    relative = bridged(polygons_of(photo, one)) / scale
    as_read = replace(one, segmentation=((relative * scale).ravel(),))
    if photo.key(as_read) == photo.key(one):
        return relative
    parts = outlines(photo.mask(one))
    return bridged([bridged(loops) for loops in parts]) / scale


@dataclass
class Simplified:
    """What simplifying did.

    Attributes:
        before: Corners before.
        after: Corners after.
        moved: How far an outline moved at most, in pixels.
        pixels: Pixels of objects that were gained or lost.
        of: Pixels of all objects.
    """

    before: int = 0
    after: int = 0
    moved: float = 0.0
    pixels: int = 0
    of: int = 0

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f'simplified: {self.after} corners instead of {self.before}; no outline moved more '
            f'than {self.moved:.2f} pixels; {self.pixels} of {self.of} pixels of objects changed'
        )


def simplify(photos: PhotoSet, tolerance: float) -> tuple[PhotoSet, Simplified]:
    """Give every object polygons with fewer corners.

    Args:
        photos: The set.
        tolerance: How far an outline may move, in pixels.
    """
    report = Simplified()
    found = []
    for photo in photos.photos:
        objects = [_simplify(photo, one, tolerance, report) for one in photo.objects]
        found.append(photo.with_objects(objects))
    return replace(photos, photos=tuple(found)), report


def _simplify(photo: LabeledPhoto, one: LabeledObject, tolerance: float, report: Simplified):
    before = photo.mask(one)
    polygons = []
    for loops in outlines(before):
        fewer = [simplified(loop, tolerance) for loop in loops]
        report.before += sum(map(len, loops))
        report.after += sum(len(loop) for loop, _ in fewer)
        report.moved = max(report.moved, *(moved for _, moved in fewer))
        polygons.append(bridged([loop for loop, _ in fewer]).ravel().astype(np.float64))
    result = replace(one, segmentation=tuple(polygons))
    report.pixels += int(np.count_nonzero(before != photo.mask(result)))
    report.of += int(before.sum())
    return result
