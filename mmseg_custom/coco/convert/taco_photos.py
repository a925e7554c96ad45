"""Shrinking TACO's photos beside their converted annotations; a stopped run continues."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.decode_photo import PhotoProblem
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.utils import UserError, atomic_path, write_json
from mmseg_custom.utils.digests import Source, digest_of_data
from mmseg_custom.utils.overwriting import refuse_overwriting
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.provenance import FILE, Provenance, announce

from .taco import DESCRIPTION, TacoPhoto, convert_photos, read_taco, taco_coco

JSON_NAME, SKIPPED_NAME = 'train_all.json', 'skipped.txt'
JPEG_QUALITY = 95
# A copy of another resolution has rounded sides.
SIZE_TOLERANCE = 1.0


@dataclass(frozen=True)
class TacoReport:
    """What a conversion did.

    Attributes:
        images: Photos in the new file.
        annotations: Annotations in the new file.
        vanished: Annotations of these photos that had no pixel left and were dropped.
        skipped: ``(file_name, reason)`` of the photos that are not in the new file.
    """

    images: int
    annotations: int
    vanished: int
    skipped: list[tuple[str, str]]


def convert_taco(
    ann_file: str | os.PathLike,
    photos: str | os.PathLike | None,
    out: str | os.PathLike,
    classes: ClassList,
    size: int = 512,
) -> TacoReport:
    """Write TACO in the contest's layout: ``train_all.json`` and the shrunk photos.

    Args:
        ann_file: TACO's ``annotations.json``.
        photos: Folder that its file names are relative to; None converts the annotations only.
        out: Folder to write to. Shrunk photos that are there already are kept. Photos that are
            absent or unfit are left out, and listed with the reason in ``skipped.txt``.
        classes: The classes, with a class map of TACO's categories.
        size: Longer side in pixels.

    Raises:
        UserError: Invalid annotations, an unknown category, no photo at all, other data in ``out``.
    """
    out = Path(out)
    content, labels = read_taco(ann_file, classes)
    _require_free(out, photos)
    if photos is not None:
        _drop_outdated(content, Path(photos), out, size)
    kept, skipped = [], []
    converted = convert_photos(content, labels, size)
    for photo in tqdm(converted, total=len(content['images']), desc='converting', unit='photo'):
        reason = photos is not None and shrink_photo(photo, Path(photos), out)
        if reason:
            skipped.append((photo.entry['file_name'], reason))
        else:
            kept.append(photo)
    if not kept:
        raise UserError(_no_photo_message(ann_file, photos, skipped))
    _write_skipped(out / SKIPPED_NAME, skipped)
    # Last, so that the annotations of a set that was interrupted are not taken for complete.
    write_json(out / JSON_NAME, taco_coco(content, kept, classes))
    annotations = sum(len(photo.annotations) for photo in kept)
    return TacoReport(len(kept), annotations, sum(photo.vanished for photo in kept), skipped)


def _drop_outdated(content: dict, photos: Path, out: Path, size: int) -> None:
    """Delete shrunk photos whose originals, or what the annotations say of them, have changed."""
    names = [image['file_name'] for image in content['images']]
    refuse_overwriting((out / name for name in names), (photos / name for name in names))
    provenance = Provenance(out / FILE, 'taco_to_trash', {}, are_results=False)
    provenance.open(out / name for name in names)
    changed = provenance.update(_sources(content, photos, size, provenance))
    announce([name for name in changed if (out / name).exists()])
    for name in changed:
        (out / name).unlink(missing_ok=True)
    provenance.save()


def _sources(
    content: dict, photos: Path, size: int, provenance: Provenance
) -> dict[str, list[Source]]:
    """Return what each shrunk photo is made from: original, size, and what is annotated in it.

    A shrunk photo outlives an original that is gone, unless the annotations are of another one.
    """
    annotated: dict = {image['id']: [size, image] for image in content['images']}
    for entry in content['annotations']:
        annotated[entry['image_id']].append(entry)
    found = dict[str, list[Source]]()
    for image in content['images']:
        name = image['file_name']
        original: Source = photos / name
        known = provenance.sources.get(name)
        if not (photos / name).is_file() and known and known[0]:
            original = known[0][2]
        found[name] = [original, digest_of_data(annotated[image['id']], name)['sha256']]
    return found


def _no_photo_message(ann_file, photos, skipped: list[tuple[str, str]]) -> str:
    if not skipped:
        return f'{ann_file}: lists no image; take data/annotations.json of TACO'
    name, reason = skipped[0]
    return (
        f'{photos}: has not one usable photo of the {len(skipped)} in {ann_file} '
        f"(the first, {name}: {reason}); fetch them with TACO's download.py"
    )


def _require_free(out: Path, photos: str | os.PathLike | None) -> None:
    """Raise when writing to ``out`` would overwrite the originals or other annotations."""
    if photos is not None and out.resolve() == Path(photos).resolve():
        raise UserError(f'{out}: is the folder of the original photos', kind='folder-in-use')
    path = out / JSON_NAME
    if not path.exists():
        return
    try:
        ours = json.loads(path.read_text(encoding='utf-8'))['info']['description'] == DESCRIPTION
    except (ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise UserError(f'{path}: is no converted TACO and would be lost', kind='folder-in-use')


def _write_skipped(path: Path, skipped: list[tuple[str, str]]) -> None:
    if not skipped:
        path.unlink(missing_ok=True)
        return
    with atomic_path(path) as temporary:
        temporary.write_text(''.join(f'{name}\t{reason}\n' for name, reason in skipped), 'utf-8')


def shrink_photo(photo: TacoPhoto, photos: Path, out: Path) -> str | None:
    """Write one photo in its new size, unless it is there already.

    Args:
        photo: What to write.
        photos: Folder of the originals.
        out: Folder to write to.

    Returns:
        str | None: Why there is no photo; None when there is one.
    """
    name = photo.entry['file_name']
    new_size = (photo.entry['width'], photo.entry['height'])
    if _image_size(out / name) == new_size:
        return None
    if not (photos / name).is_file():
        return 'absent'
    original = read_upright(photos / name, photo.source_size)
    if isinstance(original, str):
        return original
    shrunk = cv2.resize(original, new_size, interpolation=cv2.INTER_AREA)
    with atomic_path(out / name) as temporary:
        if not cv2.imwrite(str(temporary), shrunk, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
            raise UserError(f'{out / name}: cannot be written; is the disk full?')
    return None


def _image_size(path: Path) -> tuple[int, int] | None:
    """Return ``(width, height)`` of an image file from its head, None where there is none."""
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, SyntaxError, ValueError):
        return None


def read_upright(path: Path, size: tuple[int, int]) -> np.ndarray | str:
    """Read a photo the way round in which it was annotated.

    TACO annotates photos as their EXIF rotation shows them, some as they are stored. A copy of
    another resolution will do, since all that counts is the shape.

    Args:
        path: The photo.
        size: ``(width, height)`` in pixels that TACO states.

    Returns:
        np.ndarray | str: ``(H, W, 3)`` uint8 BGR; or what is wrong with the photo.
    """
    found: tuple[int, ...] = ()
    for rotate in (True, False):
        try:
            photo = read_photo(path, rotate=rotate)
        except PhotoProblem as problem:
            return problem.reason
        if _same_shape(photo.shape[1::-1], size):
            return photo
        found = found or photo.shape
    return f'is {found[1]}x{found[0]}, annotated as {size[0]}x{size[1]}'


def _same_shape(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    return abs(size[0] * wanted[1] / wanted[0] - size[1]) <= SIZE_TOLERANCE
