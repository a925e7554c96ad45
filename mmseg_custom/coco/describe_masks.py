"""From label masks to COCO annotations."""

import glob
import os
from pathlib import Path

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.remote import address_of, local_path, matches

from .masks import mask_annotations
from .palette import load_mask
from .photos import PHOTO_SUFFIXES, is_photo, photo_size
from .readable import unreadable_photos
from .write import make_coco


def masks_to_coco(
    masks: str | os.PathLike, photos: str | os.PathLike, classes: ClassList, whole: bool = False
) -> tuple[dict, list[tuple[str, str]]]:
    """Describe every mask PNG under a folder as COCO annotations; painting them gives the masks.

    COCO cannot say ignore, so a photo whose mask has ignored pixels gets ``seg_map_path`` and no
    annotations, unless the list has no background: what no annotation covers is ignored then. As
    :class:`TrashCocoDataset` reads them, ``file_name`` and ``seg_map_path`` are both relative to
    the photos' folder.

    Args:
        masks: Folder of palette or gray PNG files; a photo has its mask's relative path, with
            another suffix.
        photos: Folder of the photos.
        classes: What the labels mean.
        whole: One annotation per class instead of one per connected component.

    Returns:
        tuple[dict, list[tuple[str, str]]]: The COCO object; name and reason of each photo that
        cannot be read, which is left out.

    Raises:
        UserError: No mask, a mask without photo or of another size, a strange label, or no photo
            can be read.
    """
    masks, photos = Path(masks), Path(local_path(photos))
    paths = sorted(path for path in masks.rglob('*.png') if not path.name.startswith('.'))
    if not paths:
        raise UserError(f'{masks}: has no PNG mask')
    # All photos are looked for before the first mask is read.
    pairs = [(path, _photo_of(path, masks, photos)) for path in paths]
    problems = unreadable_photos([photo for _, photo in pairs])
    if len(problems) == len(pairs):
        raise UserError(problems[0])
    entries = [
        _describe(path, photo, photos, classes, whole)
        for place, (path, photo) in enumerate(tqdm(pairs, desc='describing', unit='mask'))
        if place not in problems
    ]
    info = dict(description=f'Masks of {masks.resolve().name}')
    skipped = [(str(pairs[place][1]), why) for place, why in problems.items()]
    return make_coco(info, [], entries, classes), skipped


def _photo_of(mask: Path, masks: Path, photos: Path) -> Path:
    stem = photos / mask.relative_to(masks).with_suffix('')
    for photo in matches(f'{glob.escape(str(stem))}.*'):
        if is_photo(photo) and (address_of(photo) or not photo.samefile(mask)):
            return photo
    raise UserError(
        f'{mask}: there is no photo {stem} with one of the suffixes '
        f'{", ".join(sorted(PHOTO_SUFFIXES))}; correct the folder of photos, or take the mask away'
    )


def _describe(
    path: Path, photo: Path, photos: Path, classes: ClassList, whole: bool
) -> tuple[dict, list[dict]]:
    height, width = photo_size(photo)
    mask = load_mask(path, height, width, classes)
    name = photo.relative_to(photos).as_posix()
    entry = dict(license=None, url=None, file_name=name, height=height, width=width)
    if classes.background is not None and (mask == classes.ignore_index).any():
        relative = os.path.relpath(path.resolve(), photos.resolve())
        return entry | dict(seg_map_path=Path(relative).as_posix()), []
    return entry, list(mask_annotations(mask, classes, whole))
