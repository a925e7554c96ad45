"""What is wrong with valid annotations: found by covering and painting them."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.coco.layers import Layers
from mmseg_custom.coco.segmentation import segmentation_rle

from .finding import IMAGE, KINDS, Finding
from .options import AuditOptions
from .split_file import SplitFile

# The contest's stated areas are off by up to 6 % (small objects) and 2 % (others), and its boxes
# by up to 5 pixels on photos of 512.
AREA_SHARE, AREA_PIXELS = 0.1, 16
BOX_SHARE, BOX_PIXELS = 0.02, 5


def image_findings(
    file: SplitFile, image: dict, entries: list[dict], options: AuditOptions
) -> Iterator[Finding]:
    """Look at the annotations of one image.

    Args:
        file: Where they are from.
        image: A valid image entry.
        entries: Its annotations, valid as well.
        options: Limits.

    Yields:
        Finding: In painting order of the annotations.
    """
    name, size = image['file_name'], (image['height'], image['width'])
    if not entries and not file.has_annotation(image):
        yield Finding('no-annotation', file.path, f'{name} has no annotation', name)
    if not entries:
        return
    layers, title = Layers(entries, file.labels, *size), file.classes.title
    rles = [segmentation_rle(layer.segmentation, *size) for layer in layers.layers]
    visible = np.bincount(layers.places().ravel(), minlength=len(rles) + 1)[1:]
    rivals = _contradictions(layers, rles, options.max_overlap, title)
    for place, (layer, rle) in enumerate(zip(layers.layers, rles, strict=True)):
        found = [
            *_coverage(mask_utils.area(rle), visible[place], size, options),
            *_wrong_measures(layer.entry, rle, size),
            *rivals[place],
        ]
        for kind, message, field in found:
            number = layer.entry['id']
            sentence = f'annotation {number} ({title(layer.label)}, {name}) {message}'
            entry = image if KINDS[kind].drops == IMAGE else layer.entry
            yield Finding(kind, file.path, sentence, name, number, entry, field)


def _coverage(
    covered: int, visible: int, size: tuple[int, int], options: AuditOptions
) -> Iterator[tuple[str, str, None]]:
    if not covered:
        yield 'empty', 'covers no pixel', None
        return
    if not visible:
        yield 'hidden', f'lies completely under others ({covered} pixels): it trains nothing', None
    share = covered / math.prod(size)
    if share > options.max_share:
        yield 'fills-photo', f'covers {share:.1%} of the photo', None
    if covered < options.min_pixels:
        yield 'speck', f'covers {covered} pixels', None


def _wrong_measures(entry: dict, rle: dict, size: tuple[int, int]) -> Iterator[tuple]:
    covered, box = int(mask_utils.area(rle)), mask_utils.toBbox(rle)
    if not covered:
        return
    area = entry.get('area')
    if area is not None and abs(area - covered) > max(AREA_PIXELS, AREA_SHARE * covered):
        yield 'wrong-area', f'states the area {area:g} and covers {covered} pixels', 'area'
    if 'bbox' in entry and not _fits(entry['bbox'], box, max(BOX_PIXELS, BOX_SHARE * max(size))):
        message = f'states the bbox {entry["bbox"]} and lies in {box.tolist()}'
        yield 'wrong-bbox', message, 'bbox'


def _fits(stated: object, box: np.ndarray, tolerance: float) -> bool:
    """Whether all four sides of two ``x, y, width, height`` boxes are near each other."""
    numbers = isinstance(stated, list) and [isinstance(v, int | float) for v in stated]
    if numbers != [True] * 4:
        return False
    sides = np.array([stated, box], np.float64)
    sides[:, 2:] += sides[:, :2]
    # Also false for NaN.
    return bool((np.abs(sides[0] - sides[1]) <= tolerance).all())


def _contradictions(
    layers: Layers, rles: list[dict], max_overlap: float, title: Callable[[int], str]
) -> list[list[tuple]]:
    """For each layer the layers above it that say another class of nearly the same pixels."""
    labels = np.array([layer.label for layer in layers.layers])
    overlaps = mask_utils.iou(rles, rles, [0] * len(rles))
    found = [[] for _ in rles]
    # Only what lies above: place order is painting order.
    for below, above in np.argwhere(np.triu(overlaps > max_overlap, 1)):
        if labels[below] != labels[above]:
            other = layers.layers[above]
            message = (
                f'has nearly the outline of annotation {other.entry["id"]} '
                f'({title(other.label)}), which lies on it (IoU {overlaps[below, above]:.2f})'
            )
            found[below].append(('contradiction', message, None))
    return found


def absent_classes(file: SplitFile) -> Iterator[Finding]:
    """Say which classes no annotation has; nothing when mask files label some images."""
    present = {file.labels[e['category_id']] for _, entries in file.painted for e in entries}
    if not present or len(file.painted) < len(file.images):
        return
    for label in file.classes.foreground:
        if label not in present:
            message = f'no annotation is of the class {file.classes.names[label]}'
            yield Finding('absent-class', file.path, message)
