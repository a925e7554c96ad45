"""Label Studio JSON: tasks with polygons and brush masks, as annotations or predictions."""

import itertools
import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

import numpy as np

from mmseg_custom.classes import IGNORE
from mmseg_custom.formats.brush_rle import decode_brush, encode_brush
from mmseg_custom.formats.files import first_entry, read_json, read_xml
from mmseg_custom.formats.model import LabeledObject, LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import place_photos
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.formats.shapes import relative_polygon
from mmseg_custom.utils import atomic_path, write_json

PERCENT = 100
CORNERS_OF_ELLIPSE = 128
LOCAL_FILES = '/data/local-files/?d='
# What an upload puts before the name.
UPLOAD = re.compile('^[0-9a-f]{8}-')
INTERFACE = '.interface.xml'
KINDS = ('polygonlabels', 'brushlabels', 'rectanglelabels', 'ellipselabels')


class LabelStudio(Format):
    """Single polygons stay polygons; everything else is a brush mask, exact to the pixel."""

    name = 'label_studio'
    title = 'Label Studio JSON'
    file = 'tasks.json'
    needs_photos = False

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        file = _file(path)
        task = first_entry(file) if file else None
        return isinstance(task, dict) and 'data' in task

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        file = _file(path) or path
        interface = file.with_name(file.stem + INTERFACE)
        if interface.is_file():
            for label in read_xml(interface).iterfind('BrushLabels/Label'):
                reading.known(label.attrib['value'])
        counts: Counter[str] = Counter()
        for number, task in enumerate(read_json(file), 1):
            reading.at = f'{file}: task {task.get("id", number)}'
            url = next(v for k, v in task['data'].items() if k == 'image' or _is_photo(v))
            results = _results(task, counts)
            size = next(((r['original_height'], r['original_width']) for r in results
                         if 'original_height' in r), None)  # fmt: skip
            size = size or (task['data'].get('height'), task['data'].get('width'))
            name, photo = _photo(url, data_root or file.parent / 'images')
            reading.begin(name, photo, *size)
            for result in results:
                self._add(reading, result)
        reading.notes += [f'{count} tasks {what}' for what, count in counts.items() if count]

    def _add(self, reading: Reading, result: dict) -> None:
        kind = str(result.get('type')).lower()
        if kind not in KINDS:
            reading.leave_out(f'of the type {kind}')
            return
        value, photo = result['value'], reading.photos[-1]
        if result.get('image_rotation'):
            raise ValueError('a photo that was turned in Label Studio: turn it back there')
        name = value[kind][0]
        if kind == 'brushlabels':
            shape: Any = decode_brush(value['rle'], photo.height, photo.width)
        else:
            shape = [(_points(kind, value) * _scale(photo)).ravel().tolist()]
        reading.add(name, shape, result.get('score'))

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set, and the labeling interface beside it.

        Photos with confidences become predictions, which Label Studio shows as pre-labels.
        """
        names = [*photos.names]
        if any(one.name == IGNORE for photo in photos.photos for one in photo.objects):
            names.append(IGNORE)
        path = target.folder / target.file
        write_json(path, [_task(photo) for photo in photos.photos])
        with atomic_path(path.with_name(path.stem + INTERFACE)) as temporary:
            temporary.write_text(_interface(names), encoding='utf-8')
        if target.photos == 'none':
            return []
        return place_photos(photos.photos, target.folder / 'images', target.photos)


def _task(photo: LabeledPhoto) -> dict:
    numbers = itertools.count(1)
    results = [_result(photo, one, f'object{next(numbers)}') for one in photo.objects]
    scores = [one.confidence for one in photo.objects if one.confidence is not None]
    data: dict[str, Any] = dict(image=LOCAL_FILES + quote(photo.file_name))
    # Objects have no size to read back if there is none.
    data |= dict(height=photo.height, width=photo.width) if not results else {}
    if scores:
        mean = sum(scores) / len(scores)
        return dict(
            data=data, predictions=[dict(model_version='trash-seg', score=mean, result=results)]
        )
    return dict(data=data, annotations=[dict(result=results)])


def _result(photo: LabeledPhoto, one: LabeledObject, number: str) -> dict:
    kind = 'brushlabels'
    if isinstance(one.segmentation, tuple) and len(one.segmentation) == 1:
        kind = 'polygonlabels'
        points = relative_polygon(photo, one, _scale(photo))
        value: dict[str, Any] = dict(points=points.tolist(), closed=True)
    else:
        value = dict(format='rle', rle=encode_brush(photo.mask(one)))
    score = {} if one.confidence is None else dict(score=one.confidence)
    return dict(
        id=number,
        type=kind,
        value=value | {kind: [one.name]},
        from_name=kind.removesuffix('labels'),
        to_name='image',
        original_width=photo.width,
        original_height=photo.height,
        image_rotation=0,
        **score,
    )


def _interface(names: list[str]) -> str:
    labels = ''.join(f'    <Label value={quoteattr(name)}/>\n' for name in names)
    return (
        '<View>\n  <Image name="image" value="$image" zoom="true"/>\n'
        f'  <PolygonLabels name="polygon" toName="image">\n{labels}  </PolygonLabels>\n'
        f'  <BrushLabels name="brush" toName="image">\n{labels}  </BrushLabels>\n</View>\n'
    )


def _scale(photo: LabeledPhoto) -> np.ndarray:
    return np.array([photo.width, photo.height]) / PERCENT


def _results(task: dict, counts: Counter[str]) -> list[dict]:
    """Return the shapes of a person's newest annotation, or else of a model's prediction."""
    valid = [one for one in task.get('annotations') or () if not one.get('was_cancelled')]
    counts['have several annotations: the newest is taken'] += len(valid) > 1
    if not valid:
        valid = [one for one in task.get('predictions') or () if isinstance(one, dict)]
        counts['have predictions that no person has looked at'] += bool(valid)
    newest = max(valid, key=lambda one: str(one.get('updated_at') or ''), default={})
    return newest.get('result') or []


def _points(kind: str, value: dict) -> np.ndarray:
    """Return the corners of a shape, ``(P, 2)`` in percent of width and height."""
    if kind == 'polygonlabels':
        return np.array(value['points'], np.float64).reshape(-1, 2)
    if value.get('rotation'):
        raise ValueError('a rotated rectangle or ellipse: draw a polygon')
    x, y = value['x'], value['y']
    if kind == 'rectanglelabels':
        right, low = x + value['width'], y + value['height']
        return np.array([[x, y], [right, y], [right, low], [x, low]], np.float64)
    angle = np.linspace(0, 2 * np.pi, CORNERS_OF_ELLIPSE, endpoint=False)
    radius = np.array([value['radiusX'], value['radiusY']])
    return np.array([x, y]) + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _photo(url: str, root: Path) -> tuple[str, Path | None]:
    """Return the name of a task's photo, and where it is.

    A storage may have folders before the names of the set, and an upload has a prefix.
    """
    split = urlsplit(url)
    local = parse_qs(split.query).get('d')
    parts = PurePosixPath(local[0].replace('\\', '/').lstrip('/') if local else unquote(split.path))
    names = [PurePosixPath(*parts.parts[start:]).as_posix() for start in range(len(parts.parts))]
    plain = UPLOAD.sub('', parts.name)
    for name in (*names, plain):
        if name and not name.startswith('/') and (root / name).is_file():
            return name, root / name
    return names[0] if local else plain, None


def _is_photo(value: Any) -> bool:
    return isinstance(value, str) and value.lower().endswith(('.jpg', '.jpeg', '.png', '.webp'))


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == '.json' else None
    found = sorted(path.glob('*.json'))
    return found[0] if len(found) == 1 else None
