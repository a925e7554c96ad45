"""YOLO segmentation (Ultralytics): a text file per photo, one polygon a line, ``data.yaml``."""

from pathlib import Path

import numpy as np
import yaml

from mmseg_custom.classes import IGNORE
from mmseg_custom.formats.files import find_photo, read_text
from mmseg_custom.formats.model import PhotoSet
from mmseg_custom.formats.placing import label_names, place_photos
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.formats.shapes import relative_polygon
from mmseg_custom.utils import UserError, atomic_path

BOX = 4


class Yolo(Format):
    """One polygon holds several parts and holes over bridges that are passed twice."""

    name = 'yolo'
    title = 'YOLO segmentation'

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        return path.is_dir() and _yaml(path) is not None

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``; the sizes are those of the photos."""
        names = _names(path)
        for number in sorted(names):
            reading.known(names[number])
        files = [file for folder in _folders(path) for file in sorted(folder.rglob('*.txt'))]
        if not files:
            raise UserError(f'{path}: has no text file of labels')
        for file in files:
            stem = _without(file.relative_to(path), 'labels').with_suffix('')
            beside = path / _with_images(file.relative_to(path)).with_suffix('')
            photo = find_photo(data_root / stem if data_root else beside)
            name = stem.as_posix() + (photo.suffix if photo else '.jpg')
            reading.begin(name, photo, None, None)
            for line in read_text(file).splitlines():
                if line.strip():
                    self._add(reading, line.split(), names)

    def _add(self, reading: Reading, words: list[str], names: dict[int, str]) -> None:
        photo = reading.photos[-1]
        numbers = [float(word) for word in words[1:]]
        name = names[int(words[0])]
        if len(numbers) in (BOX, BOX + 1):
            reading.leave_out('that are boxes without an outline')
            return
        # A prediction ends with its confidence.
        confidence = numbers.pop() if len(numbers) % 2 else None
        scale = (photo.width, photo.height)
        polygon = [number * scale[place % 2] for place, number in enumerate(numbers)]
        reading.add(name, [polygon], confidence)

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set."""
        used = {one.name for photo in photos.photos for one in photo.objects}
        names = [*photos.names, *([IGNORE] if IGNORE in used else [])]
        number = {name: place for place, name in enumerate(names)}
        files = label_names(photos.photos, '.txt', target.folder)
        for photo, file in zip(photos.photos, files, strict=True):
            lines = []
            for one in photo.objects:
                points = relative_polygon(photo, one, np.array([photo.width, photo.height]))
                values = points.ravel().tolist()
                values += [] if one.confidence is None else [one.confidence]
                lines.append(' '.join(map(repr, [number[one.name], *values])) + '\n')
            with atomic_path(target.folder / 'labels' / file) as temporary:
                temporary.write_text(''.join(lines), encoding='utf-8')
        about = dict(path='.', train='images', val='images', names=dict(enumerate(names)))
        with atomic_path(target.folder / 'data.yaml') as temporary:
            text = yaml.safe_dump(about, allow_unicode=True, sort_keys=False)
            temporary.write_text(text, encoding='utf-8')
        return place_photos(photos.photos, target.folder / 'images', target.photos)


def _yaml(path: Path) -> Path | None:
    found = [*path.glob('*.yaml'), *path.glob('*.yml')]
    return found[0] if len(found) == 1 and _folders(path) else None


def _folders(path: Path) -> list[Path]:
    """Return ``labels``, or ``train/labels`` and so on, as Roboflow exports have them."""
    return sorted(one for one in (*path.glob('labels'), *path.glob('*/labels')) if one.is_dir())


def _without(path: Path, folder: str) -> Path:
    place = path.parts.index(folder)
    return Path(*path.parts[:place], *path.parts[place + 1 :])


def _with_images(path: Path) -> Path:
    place = path.parts.index('labels')
    return Path(*path.parts[:place], 'images', *path.parts[place + 1 :])


def _names(path: Path) -> dict[int, str]:
    file = _yaml(path)
    if file is None:
        raise UserError(f'{path}: has no data.yaml with the names of the classes beside labels/')
    try:
        content = yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        raise UserError(f'{file}: cannot be read as YAML: {" ".join(str(error).split())}') from None
    names = content['names']
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    return {int(number): str(name) for number, name in pairs}
