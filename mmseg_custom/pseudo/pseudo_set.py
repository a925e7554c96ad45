"""A pseudo-labeled set: masks, an annotation file, a manifest, and pictures of it."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mmengine.dist import all_gather_object, get_dist_info

from mmseg_custom.classes import IGNORE_INDEX, ClassList
from mmseg_custom.coco import load_mask, make_coco, save_mask
from mmseg_custom.prediction.photo_sources import PhotoSource
from mmseg_custom.utils import UserError, atomic_path, write_json
from mmseg_custom.utils.digests import digest_of_data
from mmseg_custom.utils.parallel import in_threads
from mmseg_custom.utils.remote import address_of
from mmseg_custom.visualization import contact_sheet

from .confidence import LEVELS, ConfidenceFiles
from .thresholds import balanced_thresholds, confidence_histogram, fixed_thresholds

MASKS, ANNOTATIONS, MANIFEST, SHEET = 'masks', 'annotations.json', 'pseudo.json', 'sheet.png'
# What describes the set and is written at its end.
WRITTEN = (ANNOTATIONS, MANIFEST, SHEET)
SHOWN = 8


@dataclass(frozen=True)
class PseudoOptions:
    """Which pixels and photos are good enough.

    Attributes:
        threshold: See :func:`~mmseg_custom.pseudo.fixed_thresholds`.
        balanced: Portion of each class's pixels that stays, 0..1
            (:func:`~mmseg_custom.pseudo.balanced_thresholds`); ``threshold`` holds beside it.
            None: only ``threshold`` does.
        min_score: Photos whose mean confidence is below are left out.
    """

    threshold: Sequence[str] = ('0.9',)
    balanced: float | None = None
    min_score: float = 0.0


@dataclass(frozen=True)
class LabelledPhoto:
    """What the manifest says about a photo.

    Attributes:
        name: Under which its mask is written.
        file_name: The photo, relative to the photos' folder.
        height: In pixels.
        width: In pixels.
        score: Mean confidence of its pixels, 0..1.
        used: Whether its score is high enough.
        sure_share: Fraction of its pixels that are labeled, 0..1.
        class_shares: Fraction of its pixels by class, of those that are labeled.
    """

    name: str
    file_name: str
    height: int
    width: int
    score: float
    used: bool
    sure_share: float
    class_shares: dict[str, float]


def write_pseudo_set(
    photos: Sequence[PhotoSource],
    files: ConfidenceFiles,
    options: PseudoOptions,
    classes: ClassList,
    photos_root: Path,
    out: Path,
    made_by: dict,
) -> dict | None:
    """Turn confidences into a set for ``TrashCocoDataset``; the manifest is written last.

    Of several processes each writes its fraction of the masks, and the first one the rest.

    Args:
        photos: Those that were predicted.
        files: What was predicted.
        options: Which pixels and photos are good enough.
        classes: The model's.
        photos_root: Folder of the photos, the ``data_root`` of the set.
        out: Folder of the set.
        made_by: Goes into the manifest.

    Returns:
        dict | None: The manifest; None in the other processes.

    Raises:
        UserError: No photo is good enough.
    """
    (out / MANIFEST).unlink(missing_ok=True)
    rank, world_size = get_dist_info()
    own = photos[rank::world_size]
    thresholds = _thresholds(own, files, options, classes)

    def label(photo: PhotoSource) -> LabelledPhoto:
        return _label(photo, files, thresholds, options.min_score, classes, photos_root, out)

    shares = all_gather_object(list(in_threads(label, own, 'labelling', rank > 0)))
    if rank:
        return None
    entries = [shares[i % world_size][i // world_size] for i in range(len(photos))]
    used = [entry for entry in entries if entry.used]
    if not used:
        raise UserError(
            f'no photo has a score of {options.min_score} or more (the highest is '
            f'{max(entry.score for entry in entries):.3f}): lower the minimum score'
        )
    write_json(out / ANNOTATIONS, _annotations(used, classes, photos_root, out))
    _draw_sheet(used, {photo.name: photo for photo in photos}, classes, out)
    manifest = dict(
        made_by,
        options=asdict(options),
        classes=classes.to_plain(),
        thresholds=dict(zip(classes.names, (thresholds / LEVELS).round(6).tolist(), strict=True)),
        data_root=address_of(photos_root) or str(photos_root),
        class_shares=_mean_shares(used, classes),
        images=[asdict(entry) for entry in entries],
    )
    write_json(out / MANIFEST, manifest)
    return manifest


def _thresholds(
    own: Sequence[PhotoSource],
    files: ConfidenceFiles,
    options: PseudoOptions,
    classes: ClassList,
) -> np.ndarray:
    thresholds = fixed_thresholds(options.threshold, classes)
    if options.balanced is None:
        return thresholds

    def count(photo: PhotoSource) -> np.ndarray:
        return confidence_histogram(*files.read(photo.name), len(classes))

    counts = sum(in_threads(count, own, 'counting'), np.zeros((len(classes), LEVELS + 1), np.int64))
    # Whole numbers: the sum is the same in whatever order the processes come.
    return np.maximum(
        thresholds, balanced_thresholds(sum(all_gather_object(counts)), options.balanced)
    )


def _label(
    photo, files, thresholds, min_score, classes: ClassList, root: Path, out: Path
) -> LabelledPhoto:
    labels, confidence = files.read(photo.name)
    mask = np.where(confidence >= thresholds[labels], labels, IGNORE_INDEX).astype(np.uint8)
    score = float(confidence.mean() / LEVELS)
    path = mask_path(out, photo.name)
    if score >= min_score:
        save_mask(path, mask, classes)
    else:
        path.unlink(missing_ok=True)
    counts = np.bincount(mask.ravel(), minlength=IGNORE_INDEX + 1)[: len(classes)]
    shares = {
        name: n / mask.size for name, n in zip(classes.names, counts.tolist(), strict=True) if n
    }
    return LabelledPhoto(
        name=photo.name,
        file_name=photo.path.relative_to(root).as_posix(),
        height=mask.shape[0],
        width=mask.shape[1],
        score=round(score, 6),
        used=score >= min_score,
        sure_share=float(counts.sum() / mask.size),
        class_shares=shares,
    )


def _from(root: Path, mask: Path) -> str:
    """Return a mask's path relative to the photos' folder; there is none from a remote one."""
    if address_of(root):
        return mask.resolve().as_posix()
    return Path(os.path.relpath(mask, root)).as_posix()


def mask_path(out: Path, name: str) -> Path:
    """Return the mask of a photo in a set."""
    return out / MASKS / f'{name}.png'


def _annotations(used: Sequence[LabelledPhoto], classes: ClassList, root: Path, out: Path) -> dict:
    """COCO cannot say ignore: the entries name their masks, relative to the photos' folder."""
    entries = [
        dict(
            file_name=photo.file_name,
            height=photo.height,
            width=photo.width,
            seg_map_path=_from(root, mask_path(out, photo.name)),
        )
        for photo in used
    ]
    # Masks are files of their own: other masks make another annotation file.
    digest = digest_of_data([asdict(photo) for photo in used], MASKS)['sha256']
    return make_coco(
        dict(description='Pseudo labels of trash-seg', labels_sha256=digest),
        [],
        [(entry, []) for entry in entries],
        classes,
    )


def _mean_shares(used: Sequence[LabelledPhoto], classes: ClassList) -> dict[str, float]:
    total = Counter()
    for photo in used:
        total.update(photo.class_shares)
    return {name: total[name] / len(used) for name in classes.names}


def _draw_sheet(
    used: Sequence[LabelledPhoto],
    photos: dict[str, PhotoSource],
    classes: ClassList,
    out: Path,
) -> None:
    """Draw the photos that the model is most and least sure of."""
    ranked = sorted(used, key=lambda photo: -photo.score)
    shown = ranked if len(ranked) <= 2 * SHOWN else ranked[:SHOWN] + ranked[-SHOWN:]
    rows = []
    for photo in shown:
        mask = load_mask(mask_path(out, photo.name), photo.height, photo.width, classes)
        caption = f'{photo.name}: {photo.score:.3f}, {photo.sure_share:.0%} labeled'
        rows.append((caption, photos[photo.name].read(), [mask]))
    sheet = contact_sheet(rows, classes, headings=('photo', 'pseudo labels (white: ignored)'))
    with atomic_path(out / SHEET) as temporary:
        sheet.save(temporary)
