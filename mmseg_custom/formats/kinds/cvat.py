"""CVAT for images 1.1: an XML file of polygons and masks."""

from pathlib import Path
from xml.etree import ElementTree

from mmseg_custom.classes import IGNORE
from mmseg_custom.formats.cvat_shapes import (
    mask_attributes,
    mask_of,
    polygon_of,
    polygon_text,
)
from mmseg_custom.formats.files import read_xml
from mmseg_custom.formats.model import LabeledObject, LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import place_photos
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.utils import UserError, atomic_path, write_json

SCORE = 'score'
WITHOUT_AREA = ('points', 'polyline', 'skeleton', 'cuboid', 'tag')


class Cvat(Format):
    """Polygons of one object have one ``group_id``; the confidence is an attribute."""

    name = 'cvat'
    title = 'CVAT XML'
    file = 'annotations.xml'
    needs_photos = False

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        file = _file(path)
        if file is None:
            return False
        with open(file, encoding='utf-8-sig', errors='replace') as opened:
            return '<annotations' in opened.read(4096)

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        file = _file(path) or path
        root = read_xml(file)
        if root.find('track') is not None:
            raise UserError(f'{file}: is an export for a video; export it as "CVAT for images"')
        for label in root.iterfind('meta//label/name'):
            if label.text:
                reading.known(label.text)
        places = (data_root,) if data_root else (file.parent / 'images', file.parent)
        images = list(root.iterfind('image'))
        # The subsets of a project may have photos of one name.
        once = len({image.get('name') for image in images}) == len(images)
        for image in images:
            name = image.attrib['name'] if once else _with_subset(image)
            reading.at = f'{file}: {name}'
            photo = next((one / name for one in places if (one / name).is_file()), None)
            reading.begin(name, photo, image.attrib['height'], image.attrib['width'])
            shapes = sorted(image, key=lambda shape: int(shape.get('z_order', 0)))
            for of_object in _grouped(shapes):
                self._add(reading, of_object)

    def _add(self, reading: Reading, shapes: list[ElementTree.Element]) -> None:
        first = shapes[0]
        score = next((a.text for a in first.iterfind('attribute') if a.get('name') == SCORE), None)
        score = score if score and score.strip() else None
        if first.tag in WITHOUT_AREA:
            reading.leave_out(f'that are {first.tag}, without an area')
        elif first.tag == 'mask':
            reading.add(first.attrib['label'], mask_of(first, reading.photos[-1]), score)
        else:
            polygons = [polygon_of(shape) for shape in shapes]
            reading.add(first.attrib['label'], polygons, score)

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set, and ``labels.json`` for the "Raw" form of a project's labels."""
        used = {one.name for photo in photos.photos for one in photo.objects}
        names = [*photos.names, *([IGNORE] if IGNORE in used else [])]
        root = ElementTree.Element('annotations')
        ElementTree.SubElement(root, 'version').text = '1.1'
        labels = ElementTree.SubElement(
            ElementTree.SubElement(ElementTree.SubElement(root, 'meta'), 'task'), 'labels'
        )
        for name in names:
            _describe_label(labels, name)
        for number, photo in enumerate(photos.photos):
            about = dict(id=number, name=photo.file_name, width=photo.width, height=photo.height)
            image = ElementTree.SubElement(root, 'image', _texts(about))
            group = 0
            for order, one in enumerate(photo.objects):
                several = isinstance(one.segmentation, tuple) and len(one.segmentation) > 1
                group += several
                _write_object(image, photo, one, order, group if several else 0)
        ElementTree.indent(root)
        path = target.folder / target.file
        with atomic_path(path) as temporary:
            ElementTree.ElementTree(root).write(temporary, 'utf-8', xml_declaration=True)
        raw = [dict(name=name, attributes=[_ATTRIBUTE]) for name in names]
        write_json(path.with_name(f'{path.stem}.labels.json'), raw)
        if target.photos == 'none':
            return []
        return place_photos(photos.photos, target.folder / 'images', target.photos)


_ATTRIBUTE = dict(name=SCORE, input_type='text', mutable=False, values=[''], default_value='')


def _with_subset(image: ElementTree.Element) -> str:
    subset = image.get('subset')
    return f'{subset}/{image.attrib["name"]}' if subset else image.attrib['name']


def _texts(values: dict) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def _describe_label(labels: ElementTree.Element, name: str) -> None:
    label = ElementTree.SubElement(labels, 'label')
    ElementTree.SubElement(label, 'name').text = name
    attributes = ElementTree.SubElement(label, 'attributes')
    attribute = ElementTree.SubElement(attributes, 'attribute')
    for key, value in (('name', SCORE), ('mutable', 'False'), ('input_type', 'text')):
        ElementTree.SubElement(attribute, key).text = value
    ElementTree.SubElement(attribute, 'default_value')
    ElementTree.SubElement(attribute, 'values')


def _write_object(
    image: ElementTree.Element, photo: LabeledPhoto, one: LabeledObject, order: int, group: int
) -> None:
    common = dict(label=one.name, occluded='0', z_order=str(order))
    common['source'] = 'manual' if one.confidence is None else 'auto'
    if group:
        common['group_id'] = str(group)
    if isinstance(one.segmentation, bytes):
        shapes = [ElementTree.SubElement(image, 'mask', common | mask_attributes(photo.mask(one)))]
    else:
        shapes = [
            ElementTree.SubElement(image, 'polygon', common | dict(points=polygon_text(polygon)))
            for polygon in one.segmentation
        ]
    for shape in shapes if one.confidence is not None else ():
        ElementTree.SubElement(shape, 'attribute', name=SCORE).text = repr(one.confidence)


def _grouped(shapes: list[ElementTree.Element]):
    """Yield the shapes of each object: polygons of one label and one ``group_id`` are one."""
    groups: dict = {}
    for place, shape in enumerate(shapes):
        group = shape.get('group_id', '0')
        together = shape.tag == 'polygon' and group != '0'
        groups.setdefault((group, shape.get('label')) if together else place, []).append(shape)
    return groups.values()


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == '.xml' else None
    found = sorted(path.glob('*.xml'))
    return found[0] if len(found) == 1 else None
