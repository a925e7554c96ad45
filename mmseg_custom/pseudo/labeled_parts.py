"""The objects of a pseudo-labeled set, with confidences, for a person to correct."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmseg_custom.classes import class_list
from mmseg_custom.coco import load_mask, mask_annotations
from mmseg_custom.coco.masks import part_means
from mmseg_custom.prediction.photo_sources import PhotoSource

from .confidence import LEVELS, ConfidenceFiles
from .pseudo_set import mask_path


def labeled_parts(
    photos: Sequence[PhotoSource], files: ConfidenceFiles, manifest: dict, out: str | os.PathLike
) -> Iterator[tuple[PhotoSource, int, int, list[dict]]]:
    """Yield each photo that is used, its height, width, and annotations.

    Ignored pixels, of which the model is not sure, belong to no object.

    Args:
        photos: What was labeled.
        files: Labels and confidences.
        manifest: See :func:`~mmseg_custom.pseudo.write_pseudo_set`.
        out: Folder of the set.
    """
    sources = {photo.name: photo for photo in photos}
    classes = class_list(manifest['classes'])
    for entry in manifest['images']:
        if not entry['used']:
            continue
        size = entry['height'], entry['width']
        mask = load_mask(mask_path(Path(out), entry['name']), *size, classes)
        confidence = files.read(entry['name'])[1] / LEVELS
        annotations = [
            dict(annotation, score=score)
            for annotation, score in zip(
                mask_annotations(mask, classes), part_means(mask, confidence, classes), strict=True
            )
        ]
        yield sources[entry['name']], *size, annotations
