"""A palette PNG of labels for each photo, as ``predict.py`` and mmseg's sets have them."""

from pathlib import Path

import numpy as np

from mmseg_custom.classes import BACKGROUND, IGNORE, ClassList, make_class_list, name_key
from mmseg_custom.coco.palette import check_labels, save_mask
from mmseg_custom.coco.result_classes import MASKS, read_classes, write_classes
from mmseg_custom.formats.files import find_photo
from mmseg_custom.formats.instances import read_picture
from mmseg_custom.formats.model import LabeledPhoto, PhotoSet
from mmseg_custom.formats.placing import label_names
from mmseg_custom.formats.reading import Reading
from mmseg_custom.formats.registry import Format, Target
from mmseg_custom.formats.visible import label_mask, parts_of_mask, visible_parts
from mmseg_custom.utils import UserError


class Masks(Format):
    """Classes of pixels; an object is a connected part of a class."""

    name = 'masks'
    title = 'label masks'
    needs_photos = False

    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""
        return (path / MASKS).is_dir() or (path.name == MASKS and path.is_dir())

    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``."""
        folder = path / MASKS if (path / MASKS).is_dir() else path
        classes = read_classes(folder)
        if classes is None:
            raise UserError(f'{path}: has no classes.json that says what its labels mean')
        for label in classes.foreground:
            reading.known(classes.names[label])
        for file in sorted(folder.rglob('*.png')):
            stem = file.relative_to(folder).with_suffix('')
            photo = find_photo(data_root / stem) if data_root else None
            mask = _read(file, classes)
            reading.begin_mask(stem.as_posix(), photo, mask.shape)
            for name, segmentation in parts_of_mask(mask, classes):
                reading.add(name, segmentation)

    def hold(self, photo: LabeledPhoto) -> LabeledPhoto:
        """Return what is read back of a photo."""
        no_names = (name_key(BACKGROUND), IGNORE)
        names = {name_key(one.name): one.name for one in photo.objects}
        named = [name for key, name in names.items() if key not in no_names]
        return visible_parts(photo, make_class_list([BACKGROUND, *named]))

    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set; ``classes.json`` says what the labels mean."""
        files = label_names(photos.photos, '.png', target.folder)
        for photo, file in zip(photos.photos, files, strict=True):
            mask = label_mask(photo, photos.classes)
            save_mask(target.folder / MASKS / file, mask, photos.classes)
        write_classes(target.folder, photos.classes)
        return []


def _read(file: Path, classes: ClassList) -> np.ndarray:
    picture = read_picture(file)
    if picture.mode not in ('P', 'L'):
        raise UserError(f'{file}: is a {picture.mode} picture; a mask is a palette or gray PNG')
    mask = np.asarray(picture)
    check_labels(file, mask, classes)
    return mask
