"""The JSON beside each photo of labelme, AnyLabeling and X-AnyLabeling."""

import base64
import io
import itertools
import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from mmseg_custom.coco.decode_photo import open_photo
from mmseg_custom.coco.photos import is_photo
from mmseg_custom.formats.files import has_keys, read_json, read_text
from mmseg_custom.formats.model import LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import label_names, place_photos
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.formats.shapes import polygons_of
from mmseg_custom.utils import atomic_path, write_json

POLYGONS = ('polygon', 'rotation', 'oriented_rectangle')
# For `labelme --labels`: the classes, one a line.
NAMES = 'labels.txt'
WITHOUT_AREA = ('point', 'points', 'line', 'linestrip')
CORNERS_OF_CIRCLE = 128


class Labelme(Format):
    """Polygons of one object have one ``group_id``; the confidence is ``score``."""

    name = 'labelme'
    title = 'labelme JSON'

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        return any(_is_one(file) for file in itertools.islice(_files(path), 3))

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        root = path if path.is_dir() else path.parent
        if (root / NAMES).is_file():
            for name in read_text(root / NAMES).splitlines():
                # Labelme's own examples begin with two in underscores, which are no classes.
                if name.strip() and not (name[0] == name[-1] == '_'):
                    reading.known(name)
        for file in _files(path):
            reading.at = str(file)
            content = read_json(file)
            if not isinstance(content, dict) or 'shapes' not in content:
                reading.notes.append(f'{file}: is no labelme file: left out')
                continue
            folder = file.parent.relative_to(root)
            stated = PureWindowsPath(content['imagePath'])
            name = (folder / stated.name).as_posix()
            beside = (file.parent / stated.as_posix(), file.parent / stated.name)
            places = [data_root / name] if data_root else beside
            photo = next((one for one in places if is_photo(one) and one.is_file()), None)
            size = content.get('imageHeight'), content.get('imageWidth')
            reading.begin(name, photo, *size)
            for shapes in _grouped(content['shapes']):
                self._add(reading, shapes)

    def _add(self, reading: Reading, shapes: list[dict]) -> None:
        first = shapes[0]
        kind = first.get('shape_type') or 'polygon'
        if kind in WITHOUT_AREA:
            reading.leave_out('that are points or lines, without an area')
        elif kind == 'mask':
            mask = _full_mask(first, reading.photos[-1])
            reading.add(first['label'], mask, first.get('score'))
        else:
            polygons = [_polygon(shape) for shape in shapes]
            reading.add(first['label'], polygons, first.get('score'))

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set."""
        files = label_names(photos.photos, '.json', target.folder)
        for photo, file in zip(photos.photos, files, strict=True):
            name = PurePosixPath(photo.file_name).name
            if target.photos == 'none' and photo.path is not None:
                name = os.path.relpath(photo.path, (target.folder / file).parent)
            content = dict(
                version='5.5.0',
                flags={},
                shapes=list(_shapes(photo)),
                imagePath=name,
                imageData=None,
                imageHeight=photo.height,
                imageWidth=photo.width,
            )
            write_json(target.folder / file, content)
        with atomic_path(target.folder / NAMES) as temporary:
            names = ''.join(f'{name}\n' for name in photos.names)
            temporary.write_text(names, encoding='utf-8')
        return place_photos(photos.photos, target.folder, target.photos)


def _shapes(photo: LabeledPhoto):
    groups = itertools.count(1)
    for one in photo.objects:
        polygons = polygons_of(photo, one)
        group = next(groups) if len(polygons) > 1 else None
        more = {} if one.confidence is None else dict(score=one.confidence)
        for polygon in polygons:
            yield dict(
                label=one.name,
                points=polygon.tolist(),
                group_id=group,
                description='',
                shape_type='polygon',
                flags={},
                mask=None,
                **more,
            )


def _grouped(shapes: list[dict]):
    """Yield the shapes of each object: polygons of one class and one ``group_id`` are one."""
    groups: dict[Any, list[dict]] = {}
    for place, shape in enumerate(shapes):
        group = shape.get('group_id')
        together = group is not None and (shape.get('shape_type') or 'polygon') == 'polygon'
        groups.setdefault((group, shape['label']) if together else place, []).append(shape)
    return groups.values()


def _polygon(shape: dict) -> list[float]:
    kind = shape.get('shape_type') or 'polygon'
    points = np.array(shape['points'], np.float64).reshape(-1, 2)
    if kind == 'rectangle' and len(points) == 2:
        (x0, y0), (x1, y1) = points.tolist()
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    elif kind == 'circle':
        radius = np.hypot(*(points[1] - points[0]))
        angle = np.linspace(0, 2 * np.pi, CORNERS_OF_CIRCLE, endpoint=False)
        points = points[0] + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    elif kind not in POLYGONS and kind != 'rectangle':
        raise ValueError(f'the shape_type {kind!r}')
    return points.ravel().tolist()


def _full_mask(shape: dict, photo: LabeledPhoto) -> np.ndarray:
    """Return the ``(H, W)`` mask of a shape that has a PNG of its box; cut at the photo's edge."""
    content = base64.b64decode(shape['mask'])
    picture = np.asarray(open_photo(io.BytesIO(content)).convert('L')) > 0
    left, top = (int(value) for value in shape['points'][0])
    mask = np.zeros((photo.height, photo.width), bool)
    from_top, from_left = max(0, -top), max(0, -left)
    part = picture[from_top : photo.height - top, from_left : photo.width - left]
    if part.size:
        top, left = max(top, 0), max(left, 0)
        mask[top : top + part.shape[0], left : left + part.shape[1]] = part
    return mask


def _files(path: Path):
    if path.is_file():
        return iter([path] if path.suffix.lower() == '.json' else [])
    return iter(sorted(path.rglob('*.json')))


def _is_one(path: Path) -> bool:
    try:
        return has_keys(path, 'shapes', 'imagePath')
    except OSError:
        return False
