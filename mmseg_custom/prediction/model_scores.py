"""How well a model does on labeled photos: scores by class, and its answers by category."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.apis.segmentation import Segmenter, segment_named
from mmseg_custom.classes import ClassList
from mmseg_custom.coco import read_coco
from mmseg_custom.coco.class_map import with_class_map
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.evaluation.confusion import confusion_matrix
from mmseg_custom.evaluation.iou_report import class_values

NOTHING = 'nothing'


@dataclass(frozen=True)
class ModelScores:
    """Scores of a model on an annotation file.

    Attributes:
        classes: What the labels mean.
        confusion: ``(C, C)`` int64 pixels, rows truth, columns prediction.
        answers: Number of photos by category name of the file and name of the class that covers
            most of the photo in the prediction, beside the background (or :data:`NOTHING`). The
            category of a photo is that of its largest annotation.
        photos: Number of photos.
    """

    classes: ClassList
    confusion: np.ndarray
    answers: dict[str, dict[str, int]]
    photos: int

    @property
    def iou(self) -> dict[str, float]:
        """IoU by name in percent, of the classes that occur in the truth."""
        values = class_values(self.confusion)['IoU']
        occurs = self.confusion.sum(axis=1) > 0
        return {
            name: round(100 * float(value), 1)
            for name, value, there in zip(self.classes.names, values, occurs, strict=True)
            if there
        }

    @property
    def miou(self) -> float:
        """Mean of :attr:`iou`, in percent."""
        return round(float(np.mean(list(self.iou.values()))), 1)

    @property
    def foreground_iou(self) -> float | None:
        """IoU of all classes but the background as one, in percent; None without a background."""
        if self.classes.background is None:
            return None
        labels = list(self.classes.foreground)
        both = self.confusion[np.ix_(labels, labels)].sum()
        background = self.classes.background
        union = self.confusion.sum() - self.confusion[background, background]
        return round(100 * float(both / max(1, union)), 1)

    def to_plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return dict(
            photos=self.photos,
            mIoU=self.miou,
            foreground_IoU=self.foreground_iou,
            IoU=self.iou,
            answers=self.answers,
            confusion=self.confusion.tolist(),
        )


def score_model(
    segmenter: Segmenter,
    ann_file: str | os.PathLike,
    data_root: str | os.PathLike | None,
    class_map: str | os.PathLike | None = None,
    on_mask: Callable[[str, np.ndarray], Any] | None = None,
) -> ModelScores:
    """Predict the photos of an annotation file and compare with their labels, at full size.

    Args:
        segmenter: The model; its classes read the file, through their class map.
        ann_file: COCO file.
        data_root: See :func:`~mmseg_custom.coco.photo_root.photo_root`.
        class_map: Read instead of the model's own, see
            :func:`~mmseg_custom.coco.class_map.with_class_map`.
        on_mask: Called with the ``file_name`` of each photo and its predicted labels, ``(H, W)``
            uint8; None: nobody needs them.

    Raises:
        UserError: No valid annotations, or a photo that cannot be read.
    """
    content, classes = read_coco(ann_file), with_class_map(segmenter.classes, class_map)
    samples = labelled_samples(str(ann_file), classes, data_root, content)
    category_of = largest_categories(content)
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    answers: dict[str, dict[str, int]] = {}
    for sample in samples:
        photo = read_photo(sample['img_path'], sample['height'], sample['width'])
        prediction = segment_named(segmenter, photo[..., ::-1], sample['img_path']).mask
        if on_mask is not None:
            on_mask(sample['file_name'], prediction)
        truth = sample_mask(sample, Path(), classes)
        confusion += confusion_matrix(truth, prediction, len(classes), sample['file_name'])
        if category := category_of.get(sample['file_name']):
            of_category = answers.setdefault(category, {})
            answer = largest_class(prediction, classes)
            of_category[answer] = of_category.get(answer, 0) + 1
    return ModelScores(classes, confusion, dict(sorted(answers.items())), len(samples))


def largest_class(mask: np.ndarray, classes: ClassList) -> str:
    """Return the class, beside the background, that most pixels of ``(H, W)`` labels have."""
    counts = np.bincount(mask.ravel(), minlength=len(classes))[list(classes.foreground)]
    return classes.names[classes.foreground[int(counts.argmax())]] if counts.any() else NOTHING


def largest_categories(content: Mapping[str, Any]) -> dict[str, str]:
    """Return by file name the category of the largest annotation of each photo that has one."""
    names = {category['id']: category['name'] for category in content['categories']}
    files = {image['id']: image['file_name'] for image in content['images']}
    entries = sorted(content['annotations'], key=lambda entry: entry.get('area') or 0)
    return {files[entry['image_id']]: names[entry['category_id']] for entry in entries}
