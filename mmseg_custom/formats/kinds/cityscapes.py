"""Cityscapes-style PNGs: ``gtFine/…_labelIds.png`` and ``…_instanceIds.png``."""

from pathlib import Path, PurePosixPath

import numpy as np

from mmseg_custom.classes import ClassList, make_class_list
from mmseg_custom.coco.result_classes import read_classes, write_classes
from mmseg_custom.formats.files import find_photo
from mmseg_custom.formats.instances import numbered, objects_of, read_picture, save_gray
from mmseg_custom.formats.model import LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import label_names, place_photos
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.formats.visible import visible_objects
from mmseg_custom.utils import UserError

PHOTOS, LABELS = 'leftImg8bit', 'gtFine'
PHOTO_END, LABEL_END, INSTANCE_END = '_leftImg8bit', '_gtFine_labelIds', '_gtFine_instanceIds'
# An instance is its label times 1000 and its number within the class.
STEP = 1000
# Of the labels 0 to 33.
CITYSCAPES = (
    'unlabeled,ego vehicle,rectification border,out of roi,static,dynamic,ground,road,sidewalk,'
    'parking,rail track,building,wall,fence,guard rail,bridge,tunnel,pole,polegroup,'
    'traffic light,traffic sign,vegetation,terrain,sky,person,rider,car,truck,bus,caravan,'
    'trailer,train,motorcycle,bicycle'
)


class Cityscapes(Format):
    """Objects do not overlap; 255 is ignored."""

    name = 'cityscapes'
    title = 'Cityscapes-style masks'

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        return (path / LABELS).is_dir()

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        classes = read_classes(path)
        if classes is None:
            reading.notes.append("no classes.json: the labels are assumed to be Cityscapes'")
            classes = make_class_list(CITYSCAPES.split(','), background='unlabeled')
        for label in classes.foreground:
            reading.known(classes.names[label])
        folder = path / LABELS
        for name in _names(folder):
            photo = find_photo((data_root or path / PHOTOS) / (name + PHOTO_END))
            labels, instances = _pictures(folder, name, classes)
            reading.begin_mask(name, photo, labels.shape, '.png')
            for name, segmentation in objects_of(labels, instances, classes):
                reading.add(name, segmentation)

    def hold(self, photo: LabeledPhoto) -> LabeledPhoto:
        """Return what is read back of a photo."""
        return visible_objects(photo)

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set; ``classes.json`` says what the labels mean."""
        names = label_names(photos.photos, '', target.folder)
        classes = photos.classes
        if len(classes) * STEP > 2**16:
            raise UserError(f'{len(classes)} classes do not fit into 16 bits times {STEP}')
        for photo, name in zip(photos.photos, names, strict=True):
            labels, numbers = numbered(photo, classes, STEP - 1)
            instances = np.where(numbers > 0, labels.astype(np.uint16) * STEP + numbers, labels)
            base = target.folder / LABELS / name
            save_gray(base.with_name(f'{base.name}{LABEL_END}.png'), labels)
            save_gray(base.with_name(f'{base.name}{INSTANCE_END}.png'), instances.astype(np.uint16))
        write_classes(target.folder, classes)
        return place_photos(photos.photos, target.folder / PHOTOS, target.photos, _photo_name)


def _photo_name(file_name: str) -> str:
    path = PurePosixPath(file_name)
    return path.with_name(f'{path.stem}{PHOTO_END}{path.suffix}').as_posix()


def _names(folder: Path) -> list[str]:
    """Return what the pictures of each photo begin with, relative to a folder."""
    found = set()
    for end in (LABEL_END, INSTANCE_END):
        for file in folder.rglob(f'*{end}.png'):
            found.add(file.relative_to(folder).as_posix().removesuffix(f'{end}.png'))
    return sorted(found)


def _pictures(folder: Path, name: str, classes: ClassList) -> tuple[np.ndarray, np.ndarray | None]:
    """Return labels, ``(H, W)`` uint8, and numbers of objects (0 for none), if they are known."""
    file = folder / f'{name}{LABEL_END}.png'
    numbers = folder / f'{name}{INSTANCE_END}.png'
    instances = _read(numbers) if numbers.is_file() else None
    if instances is None or file.is_file():
        labels = _read(file)
    else:
        # Below 1000, an instance is a label: of what is not counted.
        file, labels = numbers, np.where(instances < STEP, instances, instances // STEP)
    strange = np.setdiff1d(labels, [*range(len(classes)), classes.ignore_index])
    if strange.size:
        raise UserError(f'{file}: has the label {strange[0]}, which is no class')
    if instances is not None and instances.shape != labels.shape:
        raise UserError(f'{file}: is of another size than the picture of the instances')
    counted = None if instances is None else np.where(instances < STEP, 0, instances)
    return labels.astype(np.uint8), counted


def _read(file: Path) -> np.ndarray:
    values = np.asarray(read_picture(file))
    if values.ndim != 2:
        raise UserError(f'{file}: is a color picture; labels are gray')
    return values.astype(np.int64)
