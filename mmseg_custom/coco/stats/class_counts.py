"""How often each class occurs in each image of a COCO file."""

import os

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.read import category_labels, coco_to_samples
from mmseg_custom.coco.visible import count_pixels, measure_annotations
from mmseg_custom.utils import UserError


def require_annotated(path: str | os.PathLike, content: dict) -> None:
    """Raise when the classes of some image are not given by annotations.

    Args:
        path: Named in the message.
        content: A COCO object that ``require_valid`` accepted.

    Raises:
        UserError: There are no images or annotations, or an image is labeled by a mask file.
    """
    if not content['images']:
        raise UserError(f'{path}: lists no image; give a file with images')
    if 'annotations' not in content:
        raise UserError(f'{path}: has no "annotations", so that no classes are known; label it')
    masked = [image for image in content['images'] if image.get('seg_map_path') is not None]
    if masked:
        raise UserError(
            f'{path}: image {masked[0]["file_name"]} is labeled by a mask file '
            '("seg_map_path"); only annotations are counted here: give it annotations instead'
        )


def class_counts(content: dict, classes: ClassList) -> np.ndarray:
    """Count the annotations of each class in each image.

    Args:
        content: A valid COCO object with annotations.
        classes: The classes that categories are matched to.

    Returns:
        np.ndarray: ``(images, classes)`` int64, images in the file's order.
    """
    labels = category_labels(content['categories'], classes)
    rows = {image['id']: row for row, image in enumerate(content['images'])}
    counts = np.zeros((len(rows), len(classes)), np.int64)
    for annotation in content['annotations']:
        label = labels[annotation['category_id']]
        if label != classes.ignore_index:
            counts[rows[annotation['image_id']], label] += 1
    return counts


def pixel_counts(content: dict, classes: ClassList) -> np.ndarray:
    """Count the pixels of each class in each image, as many as painting them would show.

    Args:
        content: A valid COCO object with annotations.
        classes: The classes that categories are matched to.

    Returns:
        np.ndarray: ``(images, classes)`` int64 pixels, images in the file's order; ignored
        pixels are of no class.
    """
    counts = np.zeros((len(content['images']), len(classes)), np.int64)
    for row, sample in enumerate(coco_to_samples(content, classes)):
        size, annotations = (sample['height'], sample['width']), sample['annotations']
        _, visible = measure_annotations(annotations, *size)
        counts[row] = count_pixels(annotations, visible, *size, classes)
    return counts
