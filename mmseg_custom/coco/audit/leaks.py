"""Photos that are in more than one file of a set, under whatever name."""

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from mmseg_custom.coco.near_duplicates import group_near

from .finding import Finding
from .photos import PhotoFacts
from .split_file import SplitFile


def name_leaks(files: Sequence[SplitFile]) -> Iterator[Finding]:
    """Find photos whose name, or that of a photo pasted into them, is in a later file, too.

    The earlier image is reported, since validation comes last on the command line and is
    to be kept complete.

    Args:
        files: The splits of one set, whose names are relative to one folder.
    """
    names = [[_names(image) for image in file.images] for file in files]
    for number, file in enumerate(files):
        later = {}
        for other, of_other in zip(files[number + 1 :], names[number + 1 :], strict=True):
            for own, pasted in of_other:
                later.setdefault(own, (other.path, own))
                for name in pasted:
                    later.setdefault(name, (other.path, own))
        for image, (own, pasted) in zip(file.images, names[number], strict=True):
            for name in (own, *pasted):
                if name in later:
                    yield _name_leak(file, image, name, own, *later[name])
                    break


def _name_leak(
    file: SplitFile, image: dict, name: str, own: str, other_file: str, other: str
) -> Finding:
    if name == own == other:
        kind, message = 'leaked-name', f'{own} is listed in {other_file}, too'
    else:
        kind = 'leaked-paste'
        message = f'{own} and {other} in {other_file} both show (parts of) {name}'
    return Finding(kind, file.path, message, image['file_name'], entry=image)


def _names(image: dict) -> tuple[str, list[str]]:
    """Return a photo's name, and those of the photos that copy_paste.py made it from."""
    pasted = image.get('pasted_from') or []
    pasted = [*(pasted if isinstance(pasted, list) else [pasted]), image.get('pasted_onto')]
    normal = [posixpath.normpath(name) for name in pasted if isinstance(name, str)]
    return posixpath.normpath(image['file_name']), normal


def look_leaks(
    files: Sequence[SplitFile], facts: Sequence[Sequence[PhotoFacts]], distance: int
) -> Iterator[Finding]:
    """Find photos that are, or look, the same as one of another name.

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
        for number, image, other_number, other in _in_later_files(groups):
            if id(image) not in told:
                told.add(id(image))
                what = 'is the same photo as' if kind == 'leaked-copy' else 'looks the same as'
                other_name = f'{other["file_name"]} in {files[other_number].path}'
                message = f'{image["file_name"]} {what} {other_name}'
                yield Finding(kind, files[number].path, message, image['file_name'], entry=image)
    yield from _repeated(files, copies)


def _in_later_files(photos: list[tuple]) -> Iterator[tuple[int, dict, int, dict]]:
    """Yield each photo with the first of its group in a later file, unless it has its name."""
    groups = defaultdict(list)
    for number, image, group in photos:
        groups[group].append((number, image))
    for members in groups.values():
        if members[0][0] == members[-1][0]:
            continue
        for number, image in members:
            for other_number, other in members:
                if other_number > number and _names(other)[0] != _names(image)[0]:
                    yield number, image, other_number, other
                    break


def _repeated(files: Sequence[SplitFile], photos: list[tuple]) -> Iterator[Finding]:
    first = {}
    for number, image, digest in photos:
        other = first.setdefault((number, digest), image)
        if _names(other)[0] != _names(image)[0]:
            message = f'{image["file_name"]} is the same photo as {other["file_name"]}'
            yield Finding('repeated-photo', files[number].path, message, image['file_name'])
