"""How often an image is to be seen so that rare classes are seen often enough."""

import os
from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.write import new_ids
from mmseg_custom.utils import UserError


def threshold_factors(classes_of: Sequence[Collection[int]], threshold: float) -> np.ndarray:
    """Repeat factors after LVIS (Gupta et al. 2019).

    A class that a fraction f of the images hold has the factor ``max(1, sqrt(threshold / f))``; an
    image has the largest factor of its classes.

    Args:
        classes_of: Labels in each image; an image without any has the factor 1.
        threshold: Fraction of images, in (0, 1], below which a class is repeated.

    Returns:
        np.ndarray: ``(images,)`` float64, at least 1.

    Raises:
        UserError: The threshold is not in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise UserError(f'threshold {threshold}: give a fraction of images above 0 and up to 1')
    holders = defaultdict(int)
    for labels in classes_of:
        for label in set(labels):
            holders[label] += 1
    factor = {c: max(1.0, (threshold * len(classes_of) / n) ** 0.5) for c, n in holders.items()}
    return np.array([max((factor[c] for c in labels), default=1.0) for labels in classes_of])


def listed_factors(
    classes_of: Sequence[Collection[int]], repeated: Collection[int], times: float
) -> np.ndarray:
    """Repeat images that hold one of some classes.

    Args:
        classes_of: Labels in each image.
        repeated: Labels whose images are repeated.
        times: How often such an image occurs in all, at least 1.

    Returns:
        np.ndarray: ``(images,)`` float64, ``times`` or 1.

    Raises:
        UserError: ``times`` is below 1.
    """
    if not times >= 1 or times == float('inf'):
        raise UserError(f'times {times}: give a number of at least 1')
    repeated = set(repeated)
    return np.array([1.0 if repeated.isdisjoint(labels) else float(times) for labels in classes_of])


def labels_of_names(names: Sequence[str], classes: ClassList) -> list[int]:
    """Return the labels of class names, which may be written in any of their usual forms.

    Args:
        names: Class names.
        classes: The class list.

    Raises:
        UserError: A name is no class.
    """
    labels = []
    for name in names:
        label = classes.label_of(name)
        if label is None or label == classes.ignore_index:
            raise UserError(f'{name!r} is no class; the classes are {", ".join(classes.names)}')
        labels.append(label)
    return labels


def round_factors(factors: np.ndarray, seed: int) -> np.ndarray:
    """Round each factor up with the probability of its fractional part, else down.

    Args:
        factors: ``(images,)`` repeat factors.
        seed: Another seed, other roundings.

    Returns:
        np.ndarray: ``(images,)`` int64; the factors are their mean over many seeds.
    """
    whole = np.floor(factors)
    up = np.random.default_rng(seed).random(len(factors)) < factors - whole
    return whole.astype(np.int64) + up


def repeat_images(path: str | os.PathLike, content: dict, repeats: np.ndarray) -> dict:
    """Repeat image entries and their annotations under new ids.

    Args:
        path: Named in messages.
        content: A valid COCO object with annotations.
        repeats: ``(images,)`` how often each image occurs in all, at least 1.

    Returns:
        dict: A COCO object that starts with the one given (which stays as it is); the copies come
        after it, with ids above all of its whole numbers and ``repeat_of``: the id of the original.

    Raises:
        UserError: An image would be dropped.
    """
    if len(repeats) and min(repeats) < 1:
        raise UserError(f'{path}: an image repeated {min(repeats)} times would be lost; take 1')
    of_image = defaultdict(list)
    for annotation in content['annotations']:
        of_image[annotation['image_id']].append(annotation)
    images, annotations = list(content['images']), list(content['annotations'])
    image_ids, annotation_ids = new_ids(images), new_ids(annotations)
    for image, repeat in zip(content['images'], repeats, strict=True):
        for _ in range(int(repeat) - 1):
            new = next(image_ids)
            images.append(image | dict(id=new, repeat_of=image['id']))
            annotations += [
                a | dict(id=next(annotation_ids), image_id=new) for a in of_image[image['id']]
            ]
    return content | dict(images=images, annotations=annotations)
