"""One annotation file of a set, and the part of it that can be read further."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.check import Problem, locate_problems
from mmseg_custom.coco.listed_twice import annotation_key, photo_key
from mmseg_custom.coco.photo_root import photo_root
from mmseg_custom.coco.read import category_labels, read_coco
from mmseg_custom.coco.segmentation_check import clip_segmentation

from .finding import Finding

KIND_OF = {
    None: 'broken-file',
    'categories': 'bad-category',
    'images': 'bad-image',
    'annotations': 'bad-annotation',
    'unfit': 'unknown-category',
}


@dataclass(frozen=True)
class SplitFile:
    """An annotation file.

    Attributes:
        path: As the user gave it.
        classes: The classes that categories are matched to.
        root: Folder of its photos.
        whole: The complete parsed JSON; what is wrong with single values has been corrected.
        valid: Its part without entries that have problems, made of the same entries; None when
            lists or categories are broken, so nothing else can be read.
        problems: What ``find_problems`` reports.
    """

    path: str
    classes: ClassList
    root: Path
    whole: dict
    valid: dict | None
    problems: list[Finding]

    @property
    def images(self) -> list[dict]:
        """The valid image entries; none where :attr:`valid` is None."""
        return (self.valid or {}).get('images', [])

    @cached_property
    def real_root(self) -> str:
        """The folder of its photos, whatever names that has."""
        return os.path.realpath(self.root)

    @cached_property
    def labels(self) -> dict[int, int]:
        """Category ids to labels."""
        return category_labels((self.valid or {}).get('categories', []), self.classes)

    @cached_property
    def painted(self) -> list[tuple[dict, list[dict]]]:
        """Each image that annotations are painted for (not a mask file), with them."""
        of_id, valid = defaultdict(list), self.valid or {}
        for entry in valid.get('annotations', []):
            of_id[entry['image_id']].append(entry)
        return [
            (image, of_id[image['id']])
            for image in self.images
            if 'annotations' in valid and image.get('seg_map_path') is None
        ]

    @cached_property
    def _annotated(self) -> set:
        entries = self.whole.get('annotations')
        entries = entries if isinstance(entries, list) else []
        return {key for entry in entries for key in _usable_id(entry, 'image_id')}

    def has_annotation(self, image: dict) -> bool:
        """Return whether the file has an annotation of an image, valid or not."""
        return image['id'] in self._annotated

    def photo_path(self, image: dict) -> Path:
        """Return where the photo of an image entry is."""
        return self.root / image['file_name']


def open_split(
    path: str | os.PathLike,
    classes: ClassList,
    data_root: str | os.PathLike | None = None,
    content: dict | None = None,
) -> SplitFile:
    """Read an annotation file and set aside what is not valid in it.

    Args:
        path: The file.
        classes: The classes that categories are matched to.
        data_root: Folder of its photos; see :func:`~mmseg_custom.coco.photo_root.photo_root`.
        content: The parsed JSON, where it was read before.

    Raises:
        UserError: The file is missing or no JSON object.
    """
    whole = read_coco(path) if content is None else content
    root = photo_root(path, whole, data_root)
    valid, problems = _valid_part(whole, classes)
    names = file_names(whole)
    findings = [_finding(str(path), problem, names) for problem in problems]
    if valid is not None and not valid['images'] and not findings:
        findings.append(Finding('broken-file', str(path), 'lists no image'))
    return SplitFile(str(path), classes, root, whole, valid, findings)


def _valid_part(content: dict, classes: ClassList) -> tuple[dict | None, list[Problem]]:
    """Drop bad entries until none is left, since some problems only show without others."""
    told = {}
    while True:
        problems = list(locate_problems(content, classes))
        told |= {(problem.message, id(problem.entry)): problem for problem in problems}
        if any(problem.section in (None, 'categories') for problem in problems):
            return None, list(told.values())
        # Annotations are never looked up by their id: one that occurs twice may stay.
        if all(problem.section == 'annotations' and problem.field == 'id' for problem in problems):
            return content, list(told.values())
        content = _without(content, problems)


def _without(content: dict, problems: list[Problem]) -> dict:
    images, annotations, lost_ids, unfit = set(), set(), set(), set()
    for problem in problems:
        if problem.section == 'images' and problem.field == 'twice':
            images.add(id(problem.entry))
            _join(problem.entry, content)
        elif problem.section == 'images':
            images.add(id(problem.entry))
            lost_ids.update(_usable_id(problem.entry))
        elif problem.field == 'area':
            problem.entry.pop('area')
        elif problem.field == 'segmentation':
            _clip(problem.entry, content['images'])
        elif problem.section == 'unfit':
            unfit.add(problem.entry['id'])
        elif problem.field is None:
            annotations.add(id(problem.entry))
    # Where two images have the image_id of an annotation, it cannot be assigned: all go.
    kept = dict(
        images=[
            image
            for image in content['images']
            if id(image) not in images and not lost_ids.intersection(_usable_id(image))
        ]
    )
    if 'annotations' in content:
        kept['annotations'] = [
            entry
            for entry in content['annotations']
            if id(entry) not in annotations
            and not unfit.intersection(_usable_id(entry, 'category_id'))
            and not lost_ids.intersection(_usable_id(entry, 'image_id'))
        ]
        joined = {p.entry['id'] for p in problems if p.field == 'twice'}
        gone = joined - {key for image in kept['images'] for key in _usable_id(image)}
        kept['annotations'] = [
            e for e in kept['annotations'] if not gone.intersection(_usable_id(e, 'image_id'))
        ]
    return content | kept


def _clip(entry: dict, images: list[dict]) -> None:
    image = next(image for image in images if image['id'] == entry['image_id'])
    entry['segmentation'] = clip_segmentation(
        entry['segmentation'], image['height'], image['width']
    )


def _join(image: dict, content: dict) -> None:
    """Give the annotations of an entry to the first entry of its photo, those it lacks."""
    first = next(one for one in content['images'] if photo_key(one) == photo_key(image))
    of_first = {
        annotation_key(entry)
        for entry in content['annotations']
        if entry['image_id'] == first['id']
    }
    for entry in content['annotations']:
        if entry['image_id'] == image['id'] and annotation_key(entry) not in of_first:
            entry['image_id'] = first['id']


def _usable_id(entry: object, key: str = 'id') -> Iterator[int | str]:
    value = entry.get(key) if isinstance(entry, dict) else None
    if isinstance(value, int | str):
        yield value


def file_names(content: dict) -> dict[int | str, str]:
    """Map image ids to file names as far as both can be read."""
    images = content.get('images')
    return {
        key: image['file_name']
        for image in (images if isinstance(images, list) else [])
        for key in _usable_id(image)
        if isinstance(image.get('file_name'), str)
    }


def _finding(path: str, problem: Problem, names: dict) -> Finding:
    kind, entry = KIND_OF[problem.section], problem.entry
    if problem.field == 'twice':
        kind = 'listed-twice'
    if problem.section == 'images':
        image = next((names.get(key) for key in _usable_id(entry)), None)
        return Finding(kind, path, problem.message, image, entry=entry)
    if problem.section == 'annotations':
        image = next((names.get(key) for key in _usable_id(entry, 'image_id')), None)
        annotation = next(_usable_id(entry), None)
        return Finding(kind, path, problem.message, image, annotation, entry, problem.field)
    return Finding(kind, path, problem.message)
