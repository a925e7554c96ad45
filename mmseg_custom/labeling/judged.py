"""What contradicts the labels of each photo: one small file a photo, and the worst of all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.classes import ClassList
from mmseg_custom.coco.layers import Layers
from mmseg_custom.coco.palette import save_mask
from mmseg_custom.coco.read import category_labels
from mmseg_custom.coco.segmentation import describe_mask
from mmseg_custom.utils import UserError, write_json

from .label_quality import judge_objects, missing_objects, photo_quality, swapped_scores

KINDS = ('swapped', 'missing', 'outline')
# An object is not called swapped where its class is likelier than all others together.
LEAST = dict(swapped=0.5, missing=0.0, outline=0.0)


@dataclass(frozen=True)
class Suspect:
    """A label that may be wrong.

    Attributes:
        kind: ``swapped``, ``missing`` or ``outline``.
        score: 0..1, more is worse; scores of different kinds cannot be compared.
        file_name: The photo.
        annotation: The annotation's id; None for a missing object.
        label: Its class; None for a missing object.
        suggested: What the model sees.
        segmentation: COCO RLE of where it is.
        bbox: COCO box in pixels.
    """

    kind: str
    score: float
    file_name: str
    annotation: int | str | None
    label: int | None
    suggested: int
    segmentation: dict
    bbox: list[float]


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
        dict: ``quality`` (:func:`~mmseg_custom.labeling.label_quality.photo_quality`), ``objects``
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


def _suspect(kind: str, score: float, name: str, one: dict, suggested: int) -> Suspect:
    known = one.get('annotation'), one.get('label')
    return Suspect(kind, score, name, *known, suggested, one['segmentation'], one['bbox'])


def all_suspects(judged: Mapping[str, dict], background: int | None) -> Iterator[Suspect]:
    """Yield every label of a set, and every missing one, with its scores.

    Args:
        judged: What :func:`judge` said, by file name.
        background: Label of the background, or None.
    """
    objects = [(name, one) for name, photo in judged.items() for one in photo['objects']]
    if objects:
        means = np.array([one['means'] for _, one in objects])
        labels = np.array([one['label'] for _, one in objects])
        swapped = swapped_scores(means, labels, background)
        for (name, one), score, other in zip(objects, *swapped, strict=True):
            yield _suspect('swapped', round(float(score), 6), name, one, int(other))
            yield _suspect('outline', one['outline'], name, one, one['label'])
    for name, photo in judged.items():
        for one in photo['missing']:
            yield _suspect('missing', one['score'], name, one, one['suggested'])


def worst(
    judged: Mapping[str, dict], number: int, background: int | None
) -> dict[str, list[Suspect]]:
    """Return the most suspicious labels of each kind, the worst first.

    Args:
        judged: What :func:`judge` said, by file name.
        number: Of each kind.
        background: Label of the background, or None.
    """
    found: dict[str, list[Suspect]] = {kind: [] for kind in KINDS}
    for one in all_suspects(judged, background):
        if one.score > LEAST[one.kind]:
            found[one.kind].append(one)
    return {kind: sorted(some, key=lambda s: -s.score)[:number] for kind, some in found.items()}


def to_correct(content: dict, suspects: Sequence[Suspect], classes: ClassList) -> dict:
    """Return a COCO object of the photos with suspicious labels, to be corrected.

    Labels are as they were. An annotation that is suspected has ``suspected``, a list of ``kind``,
    ``score`` and ``suggested`` class; a photo with missing objects has ``missing``, a list of
    ``score``, ``suggested``, ``bbox`` and ``segmentation``.

    Args:
        content: The set.
        suspects: See :func:`worst`.
        classes: What labels mean.
    """
    names = dict.fromkeys(one.file_name for one in suspects)
    by_name = {image['file_name']: dict(image) for image in content['images']}
    images = [by_name[name] for name in names]
    ids = {image['id'] for image in images}
    annotations = {
        entry['id']: dict(entry) for entry in content['annotations'] if entry['image_id'] in ids
    }
    for one in suspects:
        said = dict(score=one.score, suggested=classes.names[one.suggested])
        if one.annotation is None:
            where = dict(bbox=one.bbox, segmentation=one.segmentation)
            by_name[one.file_name].setdefault('missing', []).append(said | where)
        else:
            entry = annotations[one.annotation]
            entry.setdefault('suspected', []).append(dict(kind=one.kind, **said))
    return dict(content, images=images, annotations=list(annotations.values()))
