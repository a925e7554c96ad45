"""COCO JSON: polygons and RLE, overlapping objects, confidences (``score``)."""

from pathlib import Path

from pycocotools import mask as mask_utils

from mmseg_custom.classes import IGNORE
from mmseg_custom.coco.check import locate_problems, lost_annotations
from mmseg_custom.coco.photo_root import photo_root, with_photo_root
from mmseg_custom.coco.read import read_coco
from mmseg_custom.coco.segmentation import compact_segmentation, segmentation_area
from mmseg_custom.formats.files import has_keys
from mmseg_custom.formats.model import LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import place_photos, root_of
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.utils import UserError, write_json


class Coco(Format):
    """Objects of a photo are painted by area, the largest first, as everywhere in this project."""

    name = 'coco'
    title = 'COCO JSON'
    file = 'annotations.json'
    needs_photos = False

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        file = _file(path)
        return file is not None and has_keys(file, 'images', 'annotations')

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        file = _file(path) or path
        content = read_coco(file)
        structure = ('id', 'twice', 'area', 'segmentation')
        problems = [
            one
            for one in locate_problems(content, None)
            if one.section != 'annotations' or one.field not in structure
        ]
        message = problems[0].message if problems else lost_annotations(content)
        if message:
            raise UserError(f'{file}: {message}')
        root = photo_root(file, content, data_root)
        names = {one['id']: one['name'] for one in content['categories']}
        for name in names.values():
            reading.known(name)
        of_image: dict = {image['id']: [] for image in content['images']}
        for entry in content['annotations']:
            of_image[entry['image_id']].append(entry)
        reading.licenses = tuple(content.get('licenses') or ())
        for image in content['images']:
            if image.get('seg_map_path') is not None:
                raise UserError(
                    f'{file}: the labels of {image["file_name"]} are in a mask file; read the '
                    'masks themselves'
                )
            own = {k: v for k, v in image.items() if k not in ('id', *_PHOTO) and v is not None}
            place = root / image['file_name']
            reading.begin(image['file_name'], place, image['height'], image['width'], **own)
            for entry in sorted(of_image[image['id']], key=lambda one: -_area(one, image)):
                reading.add(names[entry['category_id']], entry['segmentation'], entry.get('score'))

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set."""
        notes = []
        root = root_of(photos.photos)
        if target.photos != 'none':
            root = target.folder / 'images'
            notes = place_photos(photos.photos, root, target.photos)
        content, lowered = coco_content(photos)
        path = target.folder / target.file
        write_json(path, with_photo_root(content, path, root) if root else content)
        if lowered:
            notes.append(f'{lowered} objects state a smaller "area": it keeps them on top')
        return notes


_PHOTO = ('file_name', 'height', 'width')


def coco_content(photos: PhotoSet) -> tuple[dict, int]:
    """Return a set as a COCO object, and how many areas are stated smaller than they are.

    Category ids are 1 and up in the order of the classes.
    """
    used = {one.name for photo in photos.photos for one in photo.objects}
    names = [*photos.names, *([IGNORE] if IGNORE in used else [])]
    ids = {name: place for place, name in enumerate(names, 1)}
    images, annotations, lowered = [], [], 0
    for photo in photos.photos:
        number = len(images) + 1
        own = dict(file_name=photo.file_name, height=photo.height, width=photo.width)
        images.append(dict(id=number, **own, **photo.details))
        for entry, smaller in _entries(photo):
            numbers = dict(id=len(annotations) + 1, image_id=number)
            name = entry.pop('name')
            annotations.append(dict(numbers, category_id=ids[name], **entry))
            lowered += smaller
    categories = [dict(id=ids[name], name=name, supercategory=name) for name in names]
    content = dict(
        info=dict(description='Converted by trash-seg'),
        licenses=list(photos.licenses),
        images=images,
        categories=categories,
        annotations=annotations,
    )
    return content, lowered


def _entries(photo: LabeledPhoto):
    """Yield annotations, and whether an area is lowered so that the object stays on top.

    An object above a smaller one that it touches states that one's area, and follows it.
    """
    before: list[tuple[dict, list, float]] = []
    for one in photo.objects:
        rle = photo.rle(one)
        area, box = float(mask_utils.area(rle)), mask_utils.toBbox(rle).tolist()
        stated = area
        for other, other_box, other_area in before:
            below = other_area < stated and _touch(box, other_box)
            if below and mask_utils.area(mask_utils.merge([rle, other], intersect=True)):
                stated = other_area
        before.append((rle, box, stated))
        if isinstance(one.segmentation, bytes):
            counts = one.segmentation.decode('ascii')
            segmentation: dict | list = dict(size=[photo.height, photo.width], counts=counts)
        else:
            segmentation = [polygon.tolist() for polygon in one.segmentation]
        score = {} if one.confidence is None else dict(score=one.confidence)
        entry = dict(segmentation=segmentation, area=stated, bbox=box, iscrowd=0)
        yield dict(name=one.name, **entry, **score), stated < area


def _touch(a: list, b: list) -> bool:
    return all(a[k] < b[k] + b[k + 2] and b[k] < a[k] + a[k + 2] for k in (0, 1))


def _area(entry: dict, image: dict) -> float:
    if entry.get('area') is not None:
        return float(entry['area'])
    compact = compact_segmentation(entry['segmentation'])
    return segmentation_area(compact, image['height'], image['width'])


def _file(path: Path) -> Path | None:
    """Return the annotation file: a file, the one JSON of a folder, or that of annotations/."""
    if path.is_file():
        return path if path.suffix.lower() == '.json' else None
    found = sorted(path.glob('*.json')) or sorted(path.glob('annotations/*.json'))
    return found[0] if len(found) == 1 else None
