"""Predictions in the formats of labeling tools, for a person to correct."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mmseg_custom.classes import ClassList
from mmseg_custom.coco import read_coco
from mmseg_custom.coco.segmentation import compact_segmentation
from mmseg_custom.formats import (
    LabeledObject,
    LabeledPhoto,
    PhotoSet,
    formats,
    loss_of,
    simplify,
    write_set,
)

from .photo_sources import PhotoSource

LABELS = 'labels'


def pre_labels(
    annotated: Iterable[tuple[PhotoSource, int, int, Sequence[dict]]], classes: ClassList
) -> PhotoSet:
    """Return predictions as labeled photos.

    Args:
        annotated: For each photo its source, height, width, and COCO annotations, whose
            ``category_id`` is the label and ``score`` the confidence.
        classes: What the labels mean.
    """
    photos = [
        LabeledPhoto(
            source.file_name,
            height,
            width,
            tuple(
                LabeledObject(
                    classes.names[one['category_id']],
                    compact_segmentation(one['segmentation']),
                    one.get('score'),
                )
                for one in annotations
            ),
            source.path if source.frame is None else None,
        )
        for source, height, width, annotations in annotated
    ]
    return PhotoSet(tuple(photos), tuple(classes.names[label] for label in classes.foreground))


def of_coco(
    photos: Sequence[PhotoSource], content: dict
) -> Iterator[tuple[PhotoSource, int, int, list[dict]]]:
    """Yield what :func:`pre_labels` takes from ``predictions.json``."""
    sources = {photo.file_name: photo for photo in photos}
    of_image: dict[int, list[dict]] = {image['id']: [] for image in content['images']}
    for annotation in content['annotations']:
        of_image[annotation['image_id']].append(annotation)
    for image in content['images']:
        source = sources[image['file_name']]
        yield source, image['height'], image['width'], of_image[image['id']]


def write_predicted(
    photos: Sequence[PhotoSource],
    target: Path,
    classes: ClassList,
    names: Sequence[str],
    tolerance: float,
) -> None:
    """Write what ``predictions.json`` says as pre-labels beside it, and print what was done.

    Args:
        photos: What was predicted.
        target: The file, with scores.
        classes: What the labels mean.
        names: The formats; none: nothing is done.
        tolerance: See :func:`write_pre_labels`.
    """
    if names:
        found = pre_labels(of_coco(photos, read_coco(target)), classes)
        for line in write_pre_labels(found, names, target.parent, tolerance):
            print(line)


def write_pre_labels(
    photos: PhotoSet, names: Sequence[str], out: Path, tolerance: float
) -> Iterator[str]:
    """Write pre-labels to ``out/labels/FORMAT``; what exists there, a person may have corrected.

    Args:
        photos: The predictions.
        names: The formats.
        out: Folder of the results.
        tolerance: How far an outline may move, in pixels, to have fewer corners; 0: masks stay.

    Yields:
        str: What was done, for the user.
    """
    if tolerance:
        photos, report = simplify(photos, tolerance)
        yield str(report)
    for name in names:
        folder, kind = out / LABELS / name, formats()[name]
        if folder.exists():
            yield f'{folder}: exists, and may have corrections: kept as it is'
            continue
        if loss := loss_of(photos, kind):
            yield f'{name} cannot hold everything: {loss}'
        yield from write_set(photos, kind, folder, 'link' if kind.needs_photos else 'none')
        yield f'pre-labels: {folder} ({kind.title})'
