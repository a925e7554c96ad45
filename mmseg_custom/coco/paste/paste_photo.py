"""Making one photo of a paste set, and the annotations of what can be seen in it."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.layers import Layers
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.coco.read import category_labels
from mmseg_custom.utils import UserError

from .patch_choice import PatchChoice
from .patches import (
    MIN_PIXELS,
    Patch,
    Placement,
    cut_patch,
    draw_placement,
    fit_patch,
    paste_pixels,
)

TRIES = 20


@dataclass(frozen=True)
class PasteOptions:
    """How photos of a paste set are made.

    Attributes:
        labels: Classes whose objects are pasted.
        scale_range: Smallest and largest scale factor of a pasted object.
        max_objects: At most so many objects are pasted into a photo; at least one is.
        feather: Width in pixels of the rim over which a pasted object fades in.
        seed: Another seed, another set.
    """

    labels: tuple[int, ...]
    scale_range: tuple[float, float] = (1.0, 1.0)
    max_objects: int = 3
    feather: int = 0
    seed: int = 0


@dataclass
class PasteSource:
    """Photos and annotations that a paste set is made from.

    Attributes:
        content: A valid COCO object with annotations.
        data_root: Folder of its photos.
        classes: The classes that categories are matched to.
        skipped: Name and reason of each photo that was left out, since it cannot be read.
    """

    content: dict
    data_root: Path
    classes: ClassList
    skipped: tuple[tuple[str, str], ...] = ()

    @cached_property
    def labels(self) -> dict[int, int]:
        """Category ids to labels."""
        return category_labels(self.content['categories'], self.classes)

    @cached_property
    def entries_of(self) -> list[list[dict]]:
        """The annotations of each image, in the file's order."""
        of_id = {image['id']: [] for image in self.content['images']}
        for entry in self.content['annotations']:
            of_id[entry['image_id']].append(entry)
        return list(of_id.values())

    @cached_property
    def classes_of(self) -> list[set[int]]:
        """The labels in each image."""
        return [{self.labels[e['category_id']] for e in entries} for entries in self.entries_of]

    def load(self, row: int) -> tuple[np.ndarray, Layers]:
        """Return a photo, ``(H, W, 3)`` uint8 BGR, and its annotations."""
        image = self.content['images'][row]
        size = image['height'], image['width']
        photo = read_photo(os.path.join(self.data_root, image['file_name']), *size)
        return photo, Layers(self.entries_of[row], self.labels, *size)


def cut_visible(photo: np.ndarray, layers: Layers, place: int) -> Patch | None:
    """Cut out what can be seen of one annotation; None when that is too little."""
    return cut_patch(photo, layers.places() == place + 1, layers.layers[place].label)


def paste_photo(
    source: PasteSource, options: PasteOptions, choice: PatchChoice, index: int
) -> tuple[np.ndarray, dict, list[dict]]:
    """Make one photo of the set; it depends on nothing but the arguments.

    Args:
        source: What it is made from.
        options: How it is made.
        choice: Draws the objects.
        index: Its number in the set.

    Returns:
        tuple[np.ndarray, dict, list[dict]]: The photo, ``(H, W, 3)`` uint8 BGR; its image entry
        without id and name; its annotations.

    Raises:
        UserError: A photo is missing or unfit, or no object of these classes is large enough.
    """
    rng = np.random.default_rng((options.seed, index))
    images = source.content['images']
    for _ in range(TRIES):
        onto, donor = int(rng.integers(len(images))), choice.photo(rng)
        photo, layers = source.load(onto)
        if paste_objects(photo, layers, *source.load(donor), choice, options, rng):
            names = dict(
                pasted_onto=images[onto]['file_name'], pasted_from=[images[donor]['file_name']]
            )
            return photo, images[onto] | names, layers.entries()
    wanted = ', '.join(source.classes.names[label] for label in choice.labels)
    raise UserError(
        f'{source.data_root}: in {TRIES} tries not one object of {wanted} kept {MIN_PIXELS} '
        'pixels: choose more classes, or a larger minimum scale'
    )


def paste_objects(
    photo: np.ndarray,
    layers: Layers,
    donor: np.ndarray,
    donor_layers: Layers,
    choice: PatchChoice,
    options: PasteOptions,
    rng: np.random.Generator,
) -> int:
    """Paste objects of one photo into another and return how many.

    Args:
        photo: ``(H, W, 3)`` uint8, changed in place.
        layers: Its annotations, changed in place.
        donor: ``(H', W', 3)`` uint8, the photo that objects are taken from.
        donor_layers: Its annotations.
        choice: Draws the objects.
        options: How they are pasted.
        rng: Source of the randomness.
    """
    pasted = 0
    labels = [layer.label for layer in donor_layers.layers]
    for place in choice.objects(labels, options.max_objects, rng):
        patch = cut_visible(donor, donor_layers, place)
        if patch is None:
            continue
        placement = draw_placement(rng, patch, photo.shape[:2], options.scale_range)
        pixels, mask = fit_patch(patch, placement)
        outline = donor_layers.moved_outline(place, patch, placement)
        entry, mask = _describe(outline, mask, placement, photo.shape[:2])
        if cv2.countNonZero(mask) < MIN_PIXELS:
            continue
        rows = slice(placement.top, placement.top + placement.height)
        columns = slice(placement.left, placement.left + placement.width)
        window = np.ascontiguousarray(mask[rows, columns])
        paste_pixels(photo, pixels, window, placement.left, placement.top, options.feather)
        category = donor_layers.layers[place].entry['category_id']
        layers.add(patch.label, dict(category_id=category, iscrowd=0, **entry), mask)
        pasted += 1
    return pasted


def _describe(
    outline: list | None, fitted: np.ndarray, placement: Placement, frame: tuple[int, int]
) -> tuple[dict, np.ndarray]:
    """Return what the JSON says of a pasted object, and its ``(H, W)`` uint8 mask in the frame.

    Polygons are kept where what pycocotools fills lies within the pixels that there are; the mask
    is then what it fills. Else the mask is the fitted one, and its RLE will be written.
    """
    mask = np.zeros(frame, np.uint8)
    rows = slice(placement.top, placement.top + placement.height)
    columns = slice(placement.left, placement.left + placement.width)
    if outline is not None:
        filled = mask_utils.decode(mask_utils.merge(mask_utils.frPyObjects(outline, *frame)))
        mask[rows, columns] = filled[rows, columns]
        if np.array_equal(mask, filled):
            return dict(segmentation=outline), mask
    mask[rows, columns] = fitted
    return {}, mask
