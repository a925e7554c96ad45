"""What contradicts the labels of each photo: one small file a photo."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.classes import ClassList
from mmseg_custom.coco.layers import Layers
from mmseg_custom.coco.palette import save_mask
from mmseg_custom.coco.read import category_labels
from mmseg_custom.coco.segmentation import describe_mask
from mmseg_custom.utils import UserError, write_json

from .label_quality import judge_objects, missing_objects
from .photo_quality import photo_quality


class LabeledPhotos:
    """The annotations of a set, to be judged photo by photo.

    Args:
        content: A valid COCO object with annotations.
        classes: What its categories are matched to.

    Raises:
        UserError: An image names a mask file: it has no objects to judge.
    """

    def __init__(self, content: dict, classes: ClassList):
        self.classes, self.images = classes, {}
        self._labels = category_labels(content['categories'], classes)
        self._entries: dict[Any, list[dict]] = {}
        for entry in content['annotations']:
            self._entries.setdefault(entry['image_id'], []).append(entry)
        for image in content['images']:
            if image.get('seg_map_path') is not None:
                raise UserError(
                    f'{image["file_name"]}: its labels are a mask file, which has no objects to '
                    'judge; describe masks as annotations first'
                )
            self.images[image['file_name']] = image

    def layers(self, file_name: str) -> Layers:
        """Return the objects of a photo in painting order."""
        image = self.images[file_name]
        entries = self._entries.get(image['id'], [])
        return Layers(entries, self._labels, image['height'], image['width'])

    def mask(self, layers: Layers) -> np.ndarray:
        """Return ``(H, W)`` uint8 labels of a photo's objects."""
        labels = [self.classes.unlabeled, *(layer.label for layer in layers.layers)]
        return np.array(labels, np.uint8)[layers.places()]


@dataclass(frozen=True)
class JudgedFiles:
    """A folder that :func:`~mmseg_custom.prediction.predict.predict_photos` writes to.

    Attributes:
        folder: Gets ``judged/NAME.json``, and ``masks/NAME.png`` as the model labels the photo.
        photos: The labels.
        file_names: By the names under which results are written.
    """

    folder: Path
    photos: LabeledPhotos
    file_names: Mapping[str, str]
    need_probabilities: ClassVar[bool] = True

    def path(self, name: str) -> Path:
        """Return the file of a photo."""
        return self.folder / 'judged' / f'{name}.json'

    def mask_path(self, name: str) -> Path:
        """Return the mask of a photo."""
        return self.folder / 'masks' / f'{name}.png'

    def every_path(self, name: str) -> list[Path]:
        """Return all files that a photo may have."""
        return [self.path(name), self.mask_path(name)]

    def are_there(self, name: str) -> bool:
        """Return whether a photo is done."""
        return self.path(name).is_file()

    def write(
        self,
        name: str,
        photo: np.ndarray,
        result: Segmentation,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Judge one photo, and write its files.

        Args:
            name: Its name.
            photo: Not used.
            result: What the model that was not trained on it sees.
            size: Not used: labels are judged at the photo's own size.
        """
        file_name = self.file_names[name]
        save_mask(self.mask_path(name), result.mask, result.classes)
        write_json(self.path(name), judge(self.photos, file_name, result.probabilities))

    def read(self, name: str) -> dict:
        """Return what :func:`judge` said of a photo."""
        return json.loads(self.path(name).read_text(encoding='utf-8'))


def judge(photos: LabeledPhotos, file_name: str, probabilities: np.ndarray) -> dict[str, Any]:
    """Judge the labels of a photo.

    Args:
        photos: The labels.
        file_name: The photo.
        probabilities: ``(C, H, W)`` float, out of fold.

    Returns:
        dict: ``quality`` (:func:`~mmseg_custom.labeling.photo_quality.photo_quality`), ``objects``
        and ``missing`` objects, as plain data.
    """
    classes = photos.classes
    layers = photos.layers(file_name)
    places, mask = layers.places(), photos.mask(layers)
    labels = [layer.label for layer in layers.layers]
    objects = [
        dict(
            annotation=layers.layers[one.place].entry['id'],
            label=one.label,
            means=[round(float(value), 5) for value in one.means],
            outline=round(one.outline, 6),
            **_where(places == one.place + 1),
        )
        for one in judge_objects(places, labels, probabilities, classes.background)
    ]
    missing = [
        dict(score=round(one.score, 6), suggested=one.suggested, **_where(one.mask))
        for one in missing_objects(mask, probabilities, classes.background)
    ]
    quality = photo_quality(mask, probabilities, classes.ignore_index)
    return dict(quality=round(quality, 6), objects=objects, missing=missing)


def _where(mask: np.ndarray) -> dict[str, Any]:
    described = describe_mask(mask)
    return dict(segmentation=described['segmentation'], bbox=described['bbox'])
