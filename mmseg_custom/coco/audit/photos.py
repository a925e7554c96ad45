"""Reading every photo and mask file of a set, in parallel."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.near_duplicates import difference_hash
from mmseg_custom.coco.palette import load_mask
from mmseg_custom.coco.photo_folders import photos_below
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.utils import UserError
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.remote import address_of, fetched, is_file, list_folders
from mmseg_custom.utils.thread_pool import thread_pool

from .finding import Finding
from .split_file import SplitFile, file_names

SHOWN_UNUSED = 5


@dataclass(frozen=True)
class PhotoFacts:
    """What reading a photo and its mask showed.

    Attributes:
        problems: ``(kind of finding, message)``.
        digest: SHA-256 of the photo's bytes; None when it cannot be used.
        look: ``(64,)`` bool difference hash; None when it cannot be used.
    """

    problems: tuple[tuple[str, str], ...] = ()
    digest: bytes | None = None
    look: np.ndarray | None = None


def read_facts(files: Sequence[SplitFile]) -> list[list[PhotoFacts]]:
    """Read all photos, each one once.

    Args:
        files: With valid content.

    Returns:
        list[list[PhotoFacts]]: For each file and image, in their order.

    Raises:
        UserError: A file has photos, and not one of them is there.
    """
    for file in files:
        list_folders(file.photo_path(image) for image in file.images)
        _require_some_photo(file)
    tasks = [[_task(file, image) for image in file.images] for file in files]
    # An oversampled file lists a photo several times.
    unique = list(dict.fromkeys(task for of_file in tasks for task in of_file))
    with thread_pool() as pool:
        read = pool.map(lambda task: _read(*task), unique)
        bar = tqdm(read, total=len(unique), desc='reading', unit='photo', disable=not unique)
        facts = list(bar)
    facts_of = dict(zip(unique, facts, strict=True))
    return [[facts_of[task] for task in of_file] for of_file in tasks]


def _require_some_photo(file: SplitFile) -> None:
    images = file.images
    if images and not any(is_file(file.photo_path(image)) for image in images):
        raise UserError(
            f'{file.path}: not one of its {len(images)} photos is in {file.root}',
            kind='missing-photos',
        )


def _task(file: SplitFile, image: dict) -> tuple:
    mask = image.get('seg_map_path')
    mask = None if mask is None else file.root / mask
    return file.photo_path(image), mask, image['height'], image['width'], file.classes


def _read(path: Path, mask: Path | None, height: int, width: int, classes: ClassList) -> PhotoFacts:
    problems = []
    try:
        read_photo(path, height, width)
    except (ValueError, OSError) as error:
        problems.append(('bad-photo' if is_file(path) else 'missing-photo', str(error)))
    try:
        if mask is not None:
            load_mask(mask, height, width, classes)
    except UserError as error:
        problems.append(('bad-mask', str(error)))
    if problems:
        return PhotoFacts(tuple(problems))
    with open(fetched(path), 'rb') as file:
        digest = hashlib.file_digest(file, 'sha256').digest()
    return PhotoFacts((), digest, difference_hash(path))


def photo_findings(file: SplitFile, facts: Sequence[PhotoFacts]) -> Iterator[Finding]:
    """Report what is wrong with the photos and masks of one file."""
    for image, fact in zip(file.images, facts, strict=True):
        for kind, message in fact.problems:
            yield Finding(kind, file.path, message, image['file_name'], entry=image)


def unused_files(files: Sequence[SplitFile]) -> Iterator[Finding]:
    """Note how many pictures in the photos' folders no file lists, and name the first few."""
    listed = {}
    for file in files:
        used = listed.setdefault(file.root, (file.path, set()))[1]
        # Also by an entry that has a problem of its own.
        used |= {os.path.normpath(file.root / name) for name in file_names(file.whole).values()}
        for image in file.images:
            used.add(os.path.normpath(file.photo_path(image)))
            used.add(os.path.normpath(file.root / (image.get('seg_map_path') or '')))
    for root, (path, used) in listed.items():
        unused = [p for p in photos_below(root) if os.path.normpath(p) not in used]
        if unused:
            shown = ', '.join(p.relative_to(root).as_posix() for p in unused[:SHOWN_UNUSED])
            more = ', …' if len(unused) > SHOWN_UNUSED else ''
            place = address_of(root) or root
            message = f'{len(unused)} pictures in {place} are not listed: {shown}{more}'
            yield Finding('unused-file', path, message)
