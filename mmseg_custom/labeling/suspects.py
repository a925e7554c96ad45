"""The labels of a set that contradict the predictions most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmseg_custom.classes import ClassList

from .label_quality import swapped_scores

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


def _suspect(kind: str, score: float, name: str, one: dict, suggested: int) -> Suspect:
    known = one.get('annotation'), one.get('label')
    return Suspect(kind, score, name, *known, suggested, one['segmentation'], one['bbox'])


def all_suspects(judged: Mapping[str, dict], background: int | None) -> Iterator[Suspect]:
    """Yield every label of a set, and every missing one, with its scores.

    Args:
        judged: What :func:`~mmseg_custom.labeling.judged.judge` said, by file name.
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
        judged: What :func:`~mmseg_custom.labeling.judged.judge` said, by file name.
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
