"""Pascal VOC masks, as CVAT's "Segmentation mask" has them: ``labelmap.txt`` and pairs of PNGs."""

from pathlib import Path

import numpy as np
from PIL import Image

from mmseg_custom.classes import BACKGROUND, IGNORE, ClassList, make_class_list, name_key
from mmseg_custom.formats.files import find_photo, read_text
from mmseg_custom.formats.instances import numbered, objects_of, read_picture
from mmseg_custom.formats.model import LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import label_names, place_photos
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.formats.visible import visible_objects
from mmseg_custom.utils import UserError, atomic_path

# Of VOC 2012, in label order.
VOC_NAMES = (
    'background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse '
    'motorbike person pottedplant sheep sofa train tvmonitor'
)
BY_CLASS, BY_OBJECT, PHOTOS = 'SegmentationClass', 'SegmentationObject', 'JPEGImages'
LIST = 'ImageSets/Segmentation/default.txt'
IGNORED, IGNORED_COLOR = 255, (224, 224, 192)
LARGEST = 254


class Voc(Format):
    """Objects do not overlap; 255 is ignored."""

    name = 'voc'
    title = 'Pascal VOC masks'

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        return (path / BY_CLASS).is_dir()

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        classes, colors = _label_map(path, reading)
        for label in classes.foreground:
            reading.known(classes.names[label])
        masks = path / BY_CLASS
        for file in sorted(masks.rglob('*.png')):
            stem = file.relative_to(masks).with_suffix('')
            photo = find_photo((data_root or path / PHOTOS) / stem)
            labels = _labels(file, classes, colors)
            reading.begin_mask(stem.as_posix(), photo, labels.shape)
            numbers = path / BY_OBJECT / stem.with_name(stem.name + '.png')
            instances = _instances(numbers, labels) if numbers.is_file() else None
            for name, segmentation in objects_of(labels, instances, classes):
                reading.add(name, segmentation)

    def hold(self, photo: LabeledPhoto) -> LabeledPhoto:
        """Return what is read back of a photo."""
        return visible_objects(photo)

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set."""
        files = label_names(photos.photos, '.png', target.folder)
        classes = photos.classes
        palette = _voc_colors()
        for photo, file in zip(photos.photos, files, strict=True):
            labels, instances = numbered(photo, classes, LARGEST)
            instances[labels == classes.ignore_index] = IGNORED
            for folder, values in ((BY_CLASS, labels), (BY_OBJECT, instances.astype(np.uint8))):
                picture = Image.fromarray(values, mode='P')
                picture.putpalette(palette.tobytes())
                with atomic_path(target.folder / folder / file) as temporary:
                    picture.save(temporary)
        lines = [_line(name, palette[label]) for label, name in enumerate(classes.names)]
        lines.append(_line(IGNORE, palette[IGNORED]))
        stems = [file.removesuffix('.png') for file in files]
        for name, texts in (('labelmap.txt', ['# label:color_rgb:parts:actions', *lines]),
                            (LIST, stems)):  # fmt: skip
            with atomic_path(target.folder / name) as temporary:
                temporary.write_text(''.join(f'{text}\n' for text in texts), encoding='utf-8')
        return place_photos(photos.photos, target.folder / PHOTOS, target.photos)


def _line(name: str, color: np.ndarray) -> str:
    if ':' in name or '\n' in name:
        raise UserError(f'the class {name!r} has a ":", which a VOC label map cannot hold')
    return f'{name}:{",".join(map(str, color.tolist()))}::'


def _voc_colors() -> np.ndarray:
    """Return VOC's ``(256, 3)`` uint8 colors: the bits of the label, spread over R, G and B."""
    colors = np.zeros((256, 3), np.uint8)
    for label in range(256):
        for bit in range(8):
            for channel in range(3):
                colors[label, channel] |= (label >> (3 * bit + channel) & 1) << (7 - bit)
    colors[IGNORED] = IGNORED_COLOR
    return colors


def _label_map(path: Path, reading: Reading) -> tuple[ClassList, dict[tuple[int, ...], int]]:
    """Return the classes, and the label of each color."""
    file = path / 'labelmap.txt'
    if not file.is_file():
        reading.notes.append("no labelmap.txt: the classes are assumed to be VOC's 20")
        classes = make_class_list(VOC_NAMES.split())
        return classes, {tuple(c): n for n, c in enumerate(_voc_colors().tolist())}
    pairs = []
    palette = _voc_colors().tolist()
    for line in read_text(file).splitlines():
        if line.strip() and not line.startswith('#'):
            name, color = line.split(':')[:2]
            # Datumaro leaves out VOC's own colors.
            values = map(int, color.split(',')) if color.strip() else palette[len(pairs)]
            pairs.append((name.strip(), tuple(values)))
    ignored = {color for name, color in pairs if name_key(name) == IGNORE}
    named = [(name, color) for name, color in pairs if color not in ignored]
    named.sort(key=lambda pair: name_key(pair[0]) != name_key(BACKGROUND))
    if name_key(named[0][0]) != name_key(BACKGROUND):
        named.insert(0, (BACKGROUND, (0, 0, 0)))
    colors = {color: label for label, (_, color) in enumerate(named)}
    colors |= dict.fromkeys({*ignored, IGNORED_COLOR} - colors.keys(), IGNORED)
    return make_class_list([name for name, _ in named]), colors


def _labels(file: Path, classes: ClassList, colors: dict[tuple[int, ...], int]) -> np.ndarray:
    """Return the ``(H, W)`` uint8 labels of a picture of colors, or of gray labels."""
    picture = read_picture(file)
    if picture.mode == 'L':
        labels = np.asarray(picture)
        strange = np.setdiff1d(labels, [*range(len(classes)), IGNORED])
        if strange.size:
            raise UserError(f'{file}: has the label {strange[0]}, which labelmap.txt does not')
        return labels
    rgb = np.asarray(picture.convert('RGB')).astype(np.int64)
    codes = rgb @ (65536, 256, 1)
    labels = np.zeros(codes.shape, np.uint8)
    for code in np.unique(codes).tolist():
        color = (code >> 16, code >> 8 & 255, code & 255)
        if color not in colors or colors[color] >= len(classes) and colors[color] != IGNORED:
            raise UserError(f'{file}: has the color {color}, which labelmap.txt does not')
        labels[codes == code] = colors[color]
    return labels


def _instances(file: Path, labels: np.ndarray) -> np.ndarray:
    """Return ``(H, W)`` numbers of objects; the colors of the picture say nothing else."""
    picture = read_picture(file)
    if picture.mode in ('P', 'L'):
        found = np.asarray(picture)
    else:
        found = np.asarray(picture.convert('RGB')).astype(np.int64) @ (65536, 256, 1)
    if found.shape != labels.shape:
        raise UserError(f'{file}: is of another size than the picture of the classes')
    return found
