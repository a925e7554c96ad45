"""Everything that makes a COCO file unfit for training, found in one pass."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mmseg_custom.classes import ClassList

from .decode_photo import MAX_PIXELS
from .fit import unfit_categories
from .listed_twice import listed_twice
from .segmentation_check import clip_segmentation, segmentation_problem

IMAGE_KEYS = ('id', 'file_name', 'height', 'width')
ANNOTATION_KEYS = ('id', 'image_id', 'category_id', 'segmentation')
CATEGORY_KEYS = ('id', 'name')


@dataclass(frozen=True)
class Problem:
    """What is wrong with one entry.

    Attributes:
        section: The list that the entry is in: ``images``, ``annotations`` or ``categories``;
            ``unfit`` for a category that is none of the classes; None when a list is missing.
        entry: The entry as the JSON has it.
        message: One sentence: what is where, and how to fix it.
        field: ``id``, ``area`` or ``segmentation`` when only this value has to be corrected,
            ``twice`` when another entry lists the same photo.
    """

    section: str | None
    entry: Any
    message: str
    field: str | None = None


def find_problems(content: dict, classes: ClassList | None) -> Iterator[str]:
    """Yield one sentence per problem: what is where, and how to fix it.

    A broken structure (a missing list, an entry without its keys) ends the search, since nothing
    behind it can be read.

    Args:
        content: The parsed JSON. Without ``annotations`` (an unlabeled set) only its images are
            looked at.
        classes: The classes that categories must have; None: any will do.
    """
    return (problem.message for problem in locate_problems(content, classes))


def locate_problems(content: dict, classes: ClassList | None) -> Iterator[Problem]:
    """Yield what :func:`find_problems` reports, with the entries it is about.

    Args:
        content: The parsed JSON.
        classes: The classes that categories must have; None: any will do.
    """
    structure = list(_box_problems(content)) or list(_structure_problems(content))
    if structure:
        yield from structure
        return
    yield from _image_problems(content['images'])
    if 'annotations' in content:
        yield from _category_problems(content)
        yield from _annotation_problems(content)
        if classes is not None:
            for unfit in unfit_categories(content, classes):
                message = f'the category {unfit} is none of the classes'
                yield Problem('unfit', unfit.category, message)
        for image, first in listed_twice(content):
            message = (
                f'image {image["id"]} lists the photo of image {first["id"]} '
                f'({image["file_name"]}) again, with other annotations: join them'
            )
            yield Problem('images', image, message, 'twice')


def _box_problems(content: dict) -> Iterator[Problem]:
    """Report a set for object detection: it has boxes, and no masks to learn from."""
    annotations = content.get('annotations')
    if not isinstance(annotations, list) or not annotations:
        return
    boxes = [
        entry
        for entry in annotations
        if isinstance(entry, dict) and entry.get('bbox') and not entry.get('segmentation')
    ]
    if len(boxes) == len(annotations):
        message = (
            f'has {len(boxes)} boxes and no mask ("bbox" without "segmentation"): boxes cannot '
            'train a segmentation; draw polygons or masks'
        )
        yield Problem(None, None, message)


def _structure_problems(content: dict) -> Iterator[Problem]:
    wanted: dict[str, tuple[str, ...]] = {'images': IMAGE_KEYS}
    if 'annotations' in content:
        wanted |= {'annotations': ANNOTATION_KEYS, 'categories': CATEGORY_KEYS}
    for name, keys in wanted.items():
        entries = content.get(name)
        if not isinstance(entries, list):
            message = (
                f'lacks the list "{name}": write a COCO file with images, annotations, categories'
            )
            yield Problem(None, None, message)
            continue
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict):
                message = f'{name}[{place}] is no object: write it with the keys {", ".join(keys)}'
                yield Problem(name, entry, message)
                continue
            missing = [key for key in keys if key not in entry]
            if missing:
                message = f'{name}[{place}] lacks "{missing[0]}": add it, or drop the entry'
                yield Problem(name, entry, message)


def _image_problems(images: Sequence[dict]) -> Iterator[Problem]:
    yield from _id_problems('image', 'images', images)
    for image in images:
        for message in _image_messages(image):
            yield Problem('images', image, message)


def _image_messages(image: dict) -> Iterator[str]:
    if not isinstance(image['file_name'], str) or not image['file_name']:
        yield f'image {image["id"]} has no usable "file_name": {image["file_name"]!r}'
    if problem := _size_problem(image):
        yield f'image {image["id"]} ({image["file_name"]}) has {problem}: correct it'
    mask = image.get('seg_map_path')
    if mask is not None and not isinstance(mask, str):
        yield f'image {image["id"]} ({image["file_name"]}) has seg_map_path {mask!r}: correct it'


def _size_problem(image: dict) -> str | None:
    for key in ('height', 'width'):
        size = image[key]
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MAX_PIXELS:
            return f'{key} {size!r}'
    if image['height'] * image['width'] > MAX_PIXELS:
        return f'over {MAX_PIXELS} pixels'
    return None


def _category_problems(content: dict) -> Iterator[Problem]:
    yield from _id_problems('category', 'categories', content['categories'])
    for category in content['categories']:
        name = category['name']
        if not isinstance(name, str):
            message = f'category {category["id"]} has the name {name!r}: write a string'
            yield Problem('categories', category, message)


def _id_problems(kind: str, section: str, entries: Sequence[dict]) -> Iterator[Problem]:
    seen = set()
    for entry in entries:
        key = entry['id']
        if not _is_id(key):
            message = f'{kind} id {key!r} is neither a number nor a string: correct it'
            yield Problem(section, entry, message, 'id')
        elif key in seen:
            message = f'{kind} id {key} occurs twice: number the entries again'
            yield Problem(section, entry, message, 'id')
        else:
            seen.add(key)


def _annotation_problems(content: dict) -> Iterator[Problem]:
    annotations = content['annotations']
    yield from _id_problems('annotation', 'annotations', annotations)
    images = {image['id']: image for image in content['images'] if _is_id(image['id'])}
    names = {
        category['id']: category['name']
        for category in content['categories']
        if _is_id(category['id'])
    }
    for annotation in annotations:
        for problem, field in (
            _annotation_problem(annotation, images, names),
            (_area_problem(annotation), 'area'),
        ):
            if problem:
                message = f'annotation {annotation["id"]} {problem}'
                yield Problem('annotations', annotation, message, field)


def _annotation_problem(
    annotation: dict, images: dict, names: dict
) -> tuple[str | None, str | None]:
    """Return what is wrong with an annotation, and which value alone has to be corrected."""
    image_id, category_id = annotation['image_id'], annotation['category_id']
    if not _is_id(image_id) or image_id not in images:
        message = (
            f'belongs to image {image_id!r}, which "images" does not list: add it or drop this'
        )
        return message, None
    if not _is_id(category_id) or category_id not in names:
        message = f'has the unknown category {category_id!r}: "categories" does not list this id'
        return message, None
    image = images[image_id]
    # pycocotools crashes on a size that no photo has; the image itself is reported.
    if _size_problem(image):
        return None, None
    height, width = image['height'], image['width']
    problem = segmentation_problem(annotation['segmentation'], height, width)
    if problem is None:
        return None, None
    clipped = clip_segmentation(annotation['segmentation'], height, width)
    return f'(image {image["file_name"]}) {problem}', 'segmentation' if clipped else None


def lost_annotations(content: dict) -> str | None:
    """Return which annotation belongs to no image or category that is listed, or None."""
    images = {image['id'] for image in content['images'] if _is_id(image['id'])}
    categories = {entry['id'] for entry in content.get('categories', ()) if _is_id(entry['id'])}
    for entry in content.get('annotations', ()):
        for key, known in (('image_id', images), ('category_id', categories)):
            if not _is_id(entry[key]) or entry[key] not in known:
                return f'annotation {entry["id"]} has the {key} {entry[key]!r}, which is not listed'
    return None


def _area_problem(annotation: dict) -> str | None:
    area = annotation.get('area')
    if area is None or (isinstance(area, int | float) and abs(area) <= sys.float_info.max):
        return None
    return f'has the area {area!r}: write a number, or leave it out to have it measured'


def _is_id(value: object) -> bool:
    return isinstance(value, int | str)
