"""The page of ``tools/browse.py``: photos of a set in one HTML file, to be filtered."""

import io
import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco import load_mask
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.palette import mask_image
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.utils import UserError, atomic_path
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.thread_pool import thread_pool
from mmseg_custom.visualization.overlay import OPACITY
from mmseg_custom.visualization.thumbnails import thumbnail

from .html import css_colors, picture_uri, render_page

JPEG_QUALITY = 75

Score = Callable[[np.ndarray, np.ndarray, str], dict[int, float]]


def write_data_browser(
    path: str | os.PathLike,
    entries: Sequence[dict],
    groups: Sequence[str],
    title: str,
    classes: ClassList,
    total: int,
) -> None:
    """Write the page, atomically.

    Args:
        path: The HTML file.
        entries: What :func:`browser_entries` returned.
        groups: Names of the folds or files, empty if there is one file alone.
        title: The page's title.
        classes: What the labels mean.
        total: Photos of the set, of which ``entries`` may be only some.
    """
    page = render_page(
        'data_browser.html.j2',
        scripts=('data_browser.js.j2',),
        entries=entries,
        groups=groups,
        title=title,
        classes=classes.names,
        colors=css_colors(classes),
        total=total,
        predicted=any(entry['prediction'] for entry in entries),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding='utf-8')


def browser_entries(
    samples: Sequence[dict],
    group_of: Sequence[int],
    side: int,
    classes: ClassList,
    predictions: str | os.PathLike | None = None,
    score: Score | None = None,
) -> list[dict]:
    """Make what the page needs to know of each photo, in parallel.

    Args:
        samples: See :func:`~mmseg_custom.coco.labelled_set.labelled_samples`.
        group_of: Place of each photo's fold or file.
        side: Longer side of the small pictures in pixels.
        classes: What the labels mean.
        predictions: Folder of predicted masks, PNG files at the photos' relative paths. A photo
            may have none.
        score: With ``predictions``: returns the IoU by label of a truth and a prediction, given
            with the name of its file.

    Returns:
        list[dict]: ``name``, ``group``, ``labels`` in the truth, ``ious`` by label (None without
        prediction), ``iou``, their mean, and the data URIs ``photo``, ``truth`` and ``prediction``
        (None).

    Raises:
        UserError: A photo or mask cannot be read, or no photo has a prediction.
    """
    masks = [_prediction_path(predictions, sample) for sample in samples]
    if predictions and not any(masks):
        raise UserError(
            f'{predictions}: has no mask for any of the {len(samples)} photos; give the folder '
            'that tools/predict.py or tools/test.py wrote to DIR/masks'
        )

    def entry(sample: dict, group: int, mask_path: Path | None) -> dict:
        return dict(group=int(group), **_entry(sample, side, classes, mask_path, score))

    with thread_pool() as pool:
        made = pool.map(entry, samples, group_of, masks)
        return list(tqdm(made, total=len(samples), desc='reading', unit='photo'))


def _prediction_path(folder: str | os.PathLike | None, sample: dict) -> Path | None:
    path = Path(folder, sample['file_name']).with_suffix('.png') if folder else None
    return path if path and path.is_file() else None


def _entry(
    sample: dict, side: int, classes: ClassList, mask_path: Path | None, score: Score | None
) -> dict:
    size = sample['height'], sample['width']
    photo = cv2.cvtColor(read_photo(sample['img_path'], *size), cv2.COLOR_BGR2RGB)
    # The masks' paths have their folder before them already.
    truth = sample_mask(sample, Path(), classes)
    prediction = load_mask(mask_path, *size, classes) if mask_path else None
    ious = score(truth, prediction, str(mask_path)) if score and prediction is not None else None
    return dict(
        name=sample['file_name'],
        labels=[int(label) for label in np.unique(truth) if label != classes.ignore_index],
        ious=ious and {label: round(iou, 4) for label, iou in ious.items()},
        iou=round(float(np.mean(list(ious.values()))), 4) if ious else None,
        photo=picture_uri(thumbnail(photo, side), quality=JPEG_QUALITY),
        truth=mask_uri(truth, side, classes),
        prediction=mask_uri(prediction, side, classes) if prediction is not None else None,
    )


def mask_uri(mask: np.ndarray, side: int, classes: ClassList) -> str:
    """Return a small picture of a mask to lay over the photo, which shows where it is unlabeled.

    Args:
        mask: ``(H, W)`` uint8 labels.
        side: Longer side in pixels.
        classes: What the labels mean.
    """
    ratio = side / max(mask.shape)
    size = [max(1, round(length * ratio)) for length in mask.shape[::-1]]
    small = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    written = io.BytesIO()
    alpha = bytearray([round(255 * OPACITY)] * 256)
    alpha[classes.unlabeled] = 0
    image = mask_image(small, classes, classes.colors)
    image.save(written, 'PNG', optimize=True, transparency=bytes(alpha))
    return f'data:image/png;base64,{b64encode(written.getvalue()).decode()}'
