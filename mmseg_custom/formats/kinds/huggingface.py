"""A Hugging Face image folder: photos beside ``metadata.jsonl`` with objects as COCO RLE."""

import json
from pathlib import Path
from typing import Any

from mmseg_custom.classes import IGNORE
from mmseg_custom.formats.files import read_text
from mmseg_custom.formats.model import LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import label_names, place_photos
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.utils import UserError, atomic_path, write_json

METADATA, LABELS = 'metadata.jsonl', 'id2label.json'


class HuggingFace(Format):
    """``datasets.load_dataset('imagefolder', …)`` reads it, ``objects`` as a column of lists."""

    name = 'huggingface'
    title = 'Hugging Face image folder'

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        return (path / METADATA).is_file()

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        labels = _labels(path)
        for name in labels.values():
            if name != IGNORE:
                reading.known(name)
        for number, line in enumerate(read_text(path / METADATA).splitlines(), 1):
            if not line.strip():
                continue
            reading.at = f'{path / METADATA}: line {number}'
            row = json.loads(line)
            name, objects = row['file_name'], row.get('objects') or {}
            rles = objects.get('segmentation')
            if objects and rles is None:
                raise UserError(f'{reading.at}: "objects" has no "segmentation", only boxes')
            own = {k: row[k] for k in row.keys() - {'file_name', 'objects', 'height', 'width'}}
            size = row.get('height'), row.get('width')
            reading.begin(name, (data_root or path) / name, *size, **own)
            own_size = [reading.photos[-1].height, reading.photos[-1].width]
            categories, scores = objects.get('category', []), objects.get('score')
            for category, shape, score in zip(
                categories, rles or [], scores or [None] * len(categories), strict=True
            ):
                shape = dict(size=own_size, counts=shape) if isinstance(shape, str) else shape
                reading.add(labels.get(str(category), category), shape, score)

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set."""
        label_names(photos.photos, '', target.folder)
        used = {one.name for photo in photos.photos for one in photo.objects}
        names = [*photos.names, *([IGNORE] if IGNORE in used else [])]
        ids = {name: number for number, name in enumerate(names)}
        with atomic_path(target.folder / METADATA) as temporary:
            lines = (json.dumps(_row(photo, ids), ensure_ascii=False) for photo in photos.photos)
            temporary.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')
        write_json(target.folder / LABELS, {str(number): name for name, number in ids.items()})
        return place_photos(photos.photos, target.folder, target.photos)


def _row(photo: LabeledPhoto, ids: dict[str, int]) -> dict[str, Any]:
    objects = dict(
        category=[ids[one.name] for one in photo.objects],
        segmentation=[photo.rle(one)['counts'].decode('ascii') for one in photo.objects],
        score=[one.confidence for one in photo.objects],
    )
    own = dict(file_name=photo.file_name, height=photo.height, width=photo.width)
    return {**photo.details, **own, 'objects': objects}


def _labels(path: Path) -> dict[str, str]:
    """Return class names by number, as the models of transformers have them."""
    file = path / LABELS
    if not file.is_file():
        return {}
    return {str(number): str(name) for number, name in json.loads(read_text(file)).items()}
