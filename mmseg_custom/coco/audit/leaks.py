"""Photos that are in more than one file of a set, under whatever name."""

import os
import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from mmseg_custom.coco.near_duplicates import group_near

from .finding import Finding
from .photos import PhotoFacts
from .split_file import SplitFile


def name_leaks(files: Sequence[SplitFile]) -> Iterator[Finding]:
    """Find photos that are in a later file, too, or whose parts were pasted into one of it.

    The earlier image is reported, since validation comes last on the command line and is
    to be kept complete. A name in another folder is another photo; :func:`look_leaks` compares
    what they show.

    Args:
        files: The splits of one set.
    """
    for number, file in enumerate(files):
        places, own_names, pasted_names = {}, {}, {}
        for other in files[number + 1 :]:
            for image in other.images:
                own, pasted = _names(image)
                where = other.path, own
                places.setdefault(_place(other, image), where)
                own_names.setdefault(own, where)
                for name in pasted:
                    pasted_names.setdefault(name, where)
        for image in file.images:
            own, pasted = _names(image)
            if (found := places.get(_place(file, image))) is not None:
                message = f'{own} is listed in {found[0]}, too'
                yield Finding('leaked-name', file.path, message, image['file_name'], entry=image)
                continue
            for name in (own, *pasted):
                found = pasted_names.get(name) or (own_names.get(name) if name in pasted else None)
                if found is not None:
                    message = f'{own} and {found[1]} in {found[0]} both show (parts of) {name}'
                    yield Finding(
                        'leaked-paste', file.path, message, image['file_name'], entry=image
                    )
                    break


def same_names(files: Sequence[SplitFile]) -> Iterator[Finding]:
    """Note photos of one name in two folders, which may be the same; for who reads no photos.

    Args:
        files: The splits of one set.
    """
    for number, file in enumerate(files):
        for other in files[number + 1 :]:
            if file.real_root != other.real_root:
                of_other = {_names(image)[0] for image in other.images}
                count = sum(_names(image)[0] in of_other for image in file.images)
                if count:
                    message = (
                        f'{count} photos have names of photos in {other.path}, which lie in '
                        'another folder; what they show was not compared'
                    )
                    yield Finding('same-name', file.path, message)


def _place(file: SplitFile, image: dict) -> str:
    """Return where a photo lies, whatever names its folder has."""
    return os.path.join(file.real_root, _names(image)[0])


def _names(image: dict) -> tuple[str, list[str]]:
    """Return a photo's name, and those of the photos that copy_paste.py made it from."""
    pasted = image.get('pasted_from') or []
    pasted = [*(pasted if isinstance(pasted, list) else [pasted]), image.get('pasted_onto')]
    normal = [posixpath.normpath(name) for name in pasted if isinstance(name, str)]
    return posixpath.normpath(image['file_name']), normal


def look_leaks(
    files: Sequence[SplitFile], facts: Sequence[Sequence[PhotoFacts]], distance: int
) -> Iterator[Finding]:
    """Find photos that are, or look, the same as another one.

    In a later file that is a leak; in the same file, exact copies are noted.

    Args:
        files: The splits of one set.
        facts: For each of their images.
        distance: Bits in which difference hashes may differ.
    """
    photos = [
        (number, image, fact)
        for number, (file, of_file) in enumerate(zip(files, facts, strict=True))
        for image, fact in zip(file.images, of_file, strict=True)
        if fact.look is not None
    ]
    if not photos:
        return
    looks = group_near(np.array([fact.look for _, _, fact in photos]), distance)
    copies = [(number, image, fact.digest) for number, image, fact in photos]
    alike = [(n, i, look) for (n, i, _), look in zip(photos, looks.tolist(), strict=True)]
    told = set()
    for kind, groups in (('leaked-copy', copies), ('near-duplicate', alike)):
        for number, image, other_number, other in _in_later_files(files, groups):
            if id(image) not in told:
                told.add(id(image))
                what = 'is the same photo as' if kind == 'leaked-copy' else 'looks the same as'
                other_name = f'{other["file_name"]} in {files[other_number].path}'
                message = f'{image["file_name"]} {what} {other_name}'
                yield Finding(kind, files[number].path, message, image['file_name'], entry=image)
    yield from _repeated(files, copies)


def _in_later_files(
    files: Sequence[SplitFile], photos: list[tuple]
) -> Iterator[tuple[int, dict, int, dict]]:
    """Yield each photo with the first of its group in a later file, unless it is that file's."""
    groups = defaultdict(list)
    for number, image, group in photos:
        groups[group].append((number, image))
    for members in groups.values():
        if members[0][0] == members[-1][0]:
            continue
        for number, image in members:
            own = _place(files[number], image)
            for other_number, other in members:
                if other_number > number and _place(files[other_number], other) != own:
                    yield number, image, other_number, other
                    break


def _repeated(files: Sequence[SplitFile], photos: list[tuple]) -> Iterator[Finding]:
    first = {}
    for number, image, digest in photos:
        other = first.setdefault((number, digest), image)
        if _names(other)[0] != _names(image)[0]:
            message = f'{image["file_name"]} is the same photo as {other["file_name"]}'
            yield Finding('repeated-photo', files[number].path, message, image['file_name'])
