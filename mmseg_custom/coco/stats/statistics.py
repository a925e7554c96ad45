"""What is in a labeled set, as numbers that can be written to a JSON file."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.sampling.folds import fold_shares, max_deviation

from .class_weights import BETA, METHODS, class_weights
from .label_facts import LabelFacts

QUARTILES = (0.25, 0.5, 0.75)
# Three bins a decade with round edges (1, 2, 5, 10, …), from 0.001 % of the photo to all of it.
SHARE_EDGES = np.array(
    [float(f'{digit}e-{tens}') for tens in range(5, 0, -1) for digit in (1, 2, 5)] + [1.0]
)
POSITION_DIGITS = 5


def label_statistics(samples: Sequence[dict], facts: LabelFacts, classes: ClassList) -> dict:
    """Describe the labels of a set.

    A class is in an image when some pixel of it is seen there. What is said of annotations and
    objects leaves images out that a mask file labels; pixels are of all images.

    Args:
        samples: Its images.
        facts: What :func:`~mmseg_custom.coco.stats.label_facts.measure_labels` found in them.
        classes: The class list.

    Returns:
        dict: ``images``, ``mask_files`` and ``annotations`` (numbers); ``classes`` (a dict a
        class); ``objects_per_image`` (images with 0, 1, 2, … annotations); ``object_sizes``
        (``share_edges`` of the photo, and ``objects`` in each bin; smaller ones are in the first);
        ``co_occurrence`` (images that hold both of two classes); ``image_sizes``, the most frequent
        first; ``positions`` (see :class:`~mmseg_custom.coco.stats.label_facts.LabelFacts`).
    """
    held = (facts.pixels > 0).astype(np.int64)
    shares = object_shares(samples, facts)
    per_image = facts.annotations.sum(axis=1)[~facts.is_mask]
    sizes = Counter((sample['width'], sample['height']) for sample in samples)
    return dict(
        images=len(samples),
        mask_files=int(facts.is_mask.sum()),
        annotations=len(facts.labels),
        classes=[
            _class_entry(label, name, facts, shares) for label, name in enumerate(classes.names)
        ],
        objects_per_image=np.bincount(per_image).tolist(),
        object_sizes=_size_histogram(shares),
        co_occurrence=(held.T @ held).tolist(),
        image_sizes=[
            dict(width=size[0], height=size[1], images=images)
            for size, images in sizes.most_common()
        ],
        positions=facts.positions.round(POSITION_DIGITS).tolist(),
    )


def object_shares(samples: Sequence[dict], facts: LabelFacts) -> np.ndarray:
    """Return which fraction of its image each object covers, ``(objects,)`` float64 in 0..1."""
    image_areas = np.array([sample['height'] * sample['width'] for sample in samples])
    return facts.areas / image_areas[facts.rows]


def _size_histogram(shares: np.ndarray) -> dict:
    objects, edges = np.histogram(shares.clip(SHARE_EDGES[0], 1), SHARE_EDGES)
    return dict(share_edges=edges.tolist(), objects=objects.tolist())


def _class_entry(label: int, name: str, facts: LabelFacts, shares: np.ndarray) -> dict:
    of_class = facts.labels == label
    pixels, annotations = facts.pixels.sum(axis=0), facts.annotations.sum(axis=0)
    return dict(
        name=name,
        images=int((facts.pixels[:, label] > 0).sum()),
        annotations=int(annotations[label]),
        annotation_share=float(annotations[label] / max(annotations.sum(), 1)),
        pixels=int(pixels[label]),
        pixel_share=float(pixels[label] / max(pixels.sum(), 1)),
        # The side of a square of the same area, in pixels.
        side_quartiles=_quartiles(np.sqrt(facts.areas[of_class])),
        share_quartiles=_quartiles(shares[of_class]),
    )


def _quartiles(values: np.ndarray) -> list[float] | None:
    """Return lower quartile, median and upper quartile; None of nothing."""
    return np.quantile(values, QUARTILES).tolist() if len(values) else None


def weight_statistics(pixels: np.ndarray, max_weight: float, beta: float | None = None) -> dict:
    """Return the class weights by every method.

    Args:
        pixels: ``(images, num_classes)`` int64.
        max_weight: See :func:`~mmseg_custom.coco.stats.class_weights.class_weights`.
        beta: See there; its default if None.

    Returns:
        dict: ``beta``, ``max_weight``, and ``methods`` with a list of weights each.
    """
    beta = BETA if beta is None else beta
    methods = {
        method: class_weights(pixels, method, beta, max_weight).tolist() for method in METHODS
    }
    return dict(beta=beta, max_weight=max_weight, methods=methods)


def compare_groups(
    facts: LabelFacts, names: Sequence[str], group_of: np.ndarray, classes: ClassList
) -> dict:
    """Compare the classes of folds or files, the background left out.

    Args:
        facts: Of the full set.
        names: Names of the groups.
        group_of: ``(images,)`` int64 group of each image.
        classes: The class list.

    Returns:
        dict: ``groups``, their numbers of ``images``, and for ``annotations`` and ``pixels`` each
        the ``whole`` shares, the ``shares`` in the groups, and the ``max_deviation`` of these.
    """
    number = len(names)
    compared = dict(groups=list(names), images=np.bincount(group_of, minlength=number).tolist())
    for what in ('annotations', 'pixels'):
        counts = getattr(facts, what)[:, list(classes.foreground)]
        compared[what] = dict(
            whole=(counts.sum(axis=0) / max(counts.sum(), 1)).tolist(),
            shares=fold_shares(counts, group_of, number).tolist(),
            max_deviation=max_deviation(counts, group_of, number),
        )
    return compared
