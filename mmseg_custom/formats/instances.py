"""Pairs of label pictures, classes and instances, to objects and back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg_custom.classes import IGNORE, ClassList
from mmseg_custom.coco.decode_photo import PhotoProblem, open_photo
from mmseg_custom.utils import UserError, atomic_path

from .model import LabeledPhoto
from .visible import parts_of_mask


def objects_of(
    labels: np.ndarray, instances: np.ndarray | None, classes: ClassList
) -> Iterator[tuple[str, object]]:
    """Yield class and segmentation of each object.

    Args:
        labels: ``(H, W)`` uint8, as the class list has them.
        instances: ``(H, W)``, one number for each object, 0 for none; None: unknown, as are the
            numbers of pixels with a class and no number. Their connected parts are objects then.
        classes: The class list.
    """
    rest = labels.copy()
    if instances is not None:
        thing = np.isin(labels, classes.foreground)
        for number in np.unique(instances[thing & (instances > 0)]).tolist():
            of_number = thing & (instances == number)
            # Of one class, unless the two pictures contradict each other.
            for label in np.unique(labels[of_number]).tolist():
                yield classes.names[label], of_number & (labels == label)
            rest[of_number] = classes.unlabeled
    yield from parts_of_mask(rest, classes)


def numbered(
    photo: LabeledPhoto, classes: ClassList, largest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(H, W)`` labels (uint8) and object numbers from 1 on (uint16) of what is seen.

    Args:
        photo: Its objects do not overlap.
        classes: The class list.
        largest: The largest number that there may be.

    Raises:
        UserError: The photo has more objects.
    """
    things = [one for one in photo.objects if one.name != IGNORE]
    if len(things) > largest:
        raise UserError(
            f'{photo.file_name}: has {len(things)} objects; this format numbers up to {largest}'
        )
    places = photo.places()
    labels = [classes.unlabeled, *(classes.label_of(one.name) for one in photo.objects)]
    number, numbers = 0, [0]
    for one in photo.objects:
        number += one.name != IGNORE
        numbers.append(0 if one.name == IGNORE else number)
    return np.array(labels, np.uint8)[places], np.array(numbers, np.uint16)[places]


def read_picture(path: Path) -> Image.Image:
    """Return a label picture, decoded.

    Raises:
        UserError: It is missing, damaged or too large.
    """
    try:
        with open(path, 'rb') as file:
            image = open_photo(file)
            image.load()
            return image
    except PhotoProblem as problem:
        raise UserError(f'{path}: the mask {problem}') from None
    except (OSError, SyntaxError) as error:
        raise UserError(f'{path}: cannot be read as a picture ({error})') from None


def save_gray(path: Path, values: np.ndarray) -> None:
    """Write ``(H, W)`` uint8 or uint16 values as a gray PNG."""
    with atomic_path(path) as temporary:
        Image.fromarray(values).save(temporary)
