"""Photos that a file lists under two ids: still one photo."""

import posixpath
from collections.abc import Iterator, Sequence

import numpy as np


def photo_key(image: dict) -> str:
    """Return what two entries of one photo have in common: the normalized file name."""
    return posixpath.normpath(str(image['file_name']).replace('\\', '/'))


def photo_groups(images: Sequence[dict]) -> np.ndarray:
    """Number photos, entries of one photo alike.

    Args:
        images: Image entries.

    Returns:
        np.ndarray: ``(images,)`` int64, from 0 on in order of the first entry.
    """
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(photo_key(i), len(numbers)) for i in images], np.int64)


def repeats(images: Sequence[dict]) -> Iterator[tuple[dict, dict]]:
    """Yield each entry of a photo that is listed before, and the first entry of it."""
    first: dict[str, dict] = {}
    for image in images:
        other = first.setdefault(photo_key(image), image)
        if other is not image:
            yield image, other


def listed_twice(content: dict) -> Iterator[tuple[dict, dict]]:
    """Yield repeated entries whose labels differ from those of the photo's first entry.

    Trained as they stand, the objects of one entry would be the background of the other. Entries
    with the same labels, as ``oversample.py`` writes them, are the same sample twice.

    Args:
        content: A COCO object whose structure is valid.

    Yields:
        tuple[dict, dict]: The entry, and the first entry of its photo.
    """
    pairs = list(repeats(content['images']))
    if not pairs:
        return
    wanted = {image['id'] for pair in pairs for image in pair if _is_id(image['id'])}
    labels: dict = {key: [] for key in wanted}
    for entry in content.get('annotations', ()):
        if _is_id(entry['image_id']) and entry['image_id'] in labels:
            labels[entry['image_id']].append(annotation_key(entry))
    for image, other in pairs:
        if image['id'] != other['id'] and _labels(image, labels) != _labels(other, labels):
            yield image, other


def _labels(image: dict, labels: dict) -> tuple:
    found = labels.get(image['id'], ()) if _is_id(image['id']) else ()
    return sorted(found), image.get('seg_map_path')


def annotation_key(entry: dict) -> str:
    """Return what two copies of an annotation have in common, as text."""
    return repr((entry['category_id'], entry['segmentation'], entry.get('area')))


def _is_id(value: object) -> bool:
    return isinstance(value, int | str)


def without_repeats(content: dict) -> tuple[dict, int]:
    """Return a COCO object that lists each photo once, and the number of entries left out.

    Args:
        content: A valid COCO object; its repeated entries have the same labels.
    """
    again = {id(image): image['id'] for image, _ in repeats(content['images'])}
    if not again:
        return content, 0
    images = [image for image in content['images'] if id(image) not in again]
    left_out = set(again.values())
    annotations = [a for a in content['annotations'] if a['image_id'] not in left_out]
    return content | dict(images=images, annotations=annotations), len(again)
