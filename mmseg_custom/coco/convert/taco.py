"""Turning the public TACO annotations into our eleven classes in the contest's form."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.read import category_labels, read_coco, require_valid
from mmseg_custom.coco.write import make_coco, require_inside
from mmseg_custom.utils import UserError

DESCRIPTION = 'TACO (github.com/pedropro/TACO) in the classes of the recycle-trash contest'


@dataclass(frozen=True)
class TacoPhoto:
    """One photo of TACO and how large it becomes.

    Attributes:
        entry: Its image entry in the new file: ``license``, ``url``, ``flickr_url`` (where it
            comes from and whose it is), ``file_name``, ``height``, ``width``, ``date_captured``.
        source_size: ``(width, height)`` in pixels that TACO's polygons are drawn on.
        annotations: In the contest's form, in TACO's order.
        vanished: How many annotations had no pixel left.
    """

    entry: dict
    source_size: tuple[int, int]
    annotations: list[dict]
    vanished: int


def read_taco(path: str | os.PathLike, classes: ClassList) -> tuple[dict, dict]:
    """Read and check TACO's annotations and the classes of its categories.

    Args:
        path: TACO's ``annotations.json``.
        classes: The classes, with a class map of TACO's categories.

    Returns:
        tuple[dict, dict[int, int]]: The COCO object, and the label (1..10) by category id.

    Raises:
        UserError: The file is invalid, or has a category that the CSV file does not list.
    """
    content = read_coco(path)
    if 'annotations' not in content:
        raise UserError(f'{path}: has no "annotations"; take data/annotations.json of TACO')
    content = dict(content, annotations=_with_own_ids(content['annotations']))
    require_valid(path, content, classes)
    require_inside(path, (image['file_name'] for image in content['images']))
    for annotation in content['annotations']:
        if isinstance(annotation['segmentation'], dict):
            raise UserError(
                f'{path}: annotation {annotation["id"]} is an RLE, which cannot be scaled without '
                'loss; take data/annotations.json of TACO, which has polygons only'
            )
    return content, category_labels(content['categories'], classes)


def _with_own_ids(annotations: object) -> object:
    """Renumber annotations of one id: TACO itself has two ids twice, and ours are new anyway."""
    if not isinstance(annotations, list):
        return annotations
    seen, told_apart = Counter(), []
    for entry in annotations:
        key = entry.get('id') if isinstance(entry, dict) else None
        if isinstance(key, int | str):
            seen[key] += 1
            if seen[key] > 1:
                entry = dict(entry, id=f'{key} (number {seen[key]} of this id)')
        told_apart.append(entry)
    return told_apart


def convert_photos(content: dict, labels: Mapping[int, int], size: int) -> Iterator[TacoPhoto]:
    """Convert a valid TACO object photo by photo; no photo file is touched.

    Args:
        content: What :func:`read_taco` returned.
        labels: Our label by TACO's category id.
        size: Longer side of the photos in the new file, in pixels.
    """
    of_image = {image['id']: [] for image in content['images']}
    for annotation in content['annotations']:
        of_image[annotation['image_id']].append(annotation)
    for image in content['images']:
        source_size = (image['width'], image['height'])
        new_size = fitted_size(*source_size, size)
        converted = [
            scale_annotation(annotation, labels[annotation['category_id']], source_size, new_size)
            for annotation in of_image[image['id']]
        ]
        kept = [annotation for annotation in converted if annotation]
        entry = dict(
            license=image.get('license'),
            url=None,
            flickr_url=image.get('flickr_url'),
            file_name=image['file_name'],
            height=new_size[1],
            width=new_size[0],
            date_captured=image.get('date_captured'),
        )
        yield TacoPhoto(entry, source_size, kept, len(converted) - len(kept))


def fitted_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Return the ``(width, height)`` whose longer side is ``size``, in pixels, at least 1."""
    longer = max(width, height)
    return max(1, round(width * size / longer)), max(1, round(height * size / longer))


def scale_annotation(
    annotation: dict, label: int, source_size: tuple[int, int], new_size: tuple[int, int]
) -> dict | None:
    """Bring one annotation to another photo size.

    Args:
        annotation: With polygons.
        label: Its label among ours, 1..10.
        source_size: ``(width, height)`` in pixels that it is drawn on.
        new_size: ``(width, height)`` in pixels to bring it to.

    Returns:
        dict | None: ``category_id``, ``segmentation``, ``area``, ``bbox`` and ``iscrowd``; None
        when not one pixel is left of it.
    """
    # The two ratios differ a little, since the new sides are whole numbers.
    ratio = np.divide(new_size, source_size)
    polygons = []
    for polygon in annotation['segmentation']:
        points = np.asarray(polygon, np.float64).reshape(-1, 2) * ratio
        polygons.append(np.clip(points, 0, new_size).ravel().tolist())
    rle = mask_utils.merge(mask_utils.frPyObjects(polygons, new_size[1], new_size[0]))
    area = float(mask_utils.area(rle))
    if not area:
        return None
    return dict(
        category_id=label,
        segmentation=polygons,
        area=area,
        bbox=mask_utils.toBbox(rle).tolist(),
        iscrowd=int(bool(annotation.get('iscrowd'))),
    )


def taco_coco(content: dict, photos: list[TacoPhoto], classes: ClassList) -> dict:
    """Put converted photos together as one COCO object; TACO's licenses are kept as they are."""
    info = dict(content.get('info') or {}, description=DESCRIPTION)
    pairs = ((photo.entry, photo.annotations) for photo in photos)
    return make_coco(info, content.get('licenses') or [], pairs, classes)
