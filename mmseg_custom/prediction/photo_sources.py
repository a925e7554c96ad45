"""What a prediction runs on: files, folders, COCO files and videos, as one list of photos."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np

from mmseg_custom.coco import read_coco, require_valid
from mmseg_custom.coco.ann_files import is_several
from mmseg_custom.coco.listed_twice import repeats
from mmseg_custom.coco.photo_folders import photos_below
from mmseg_custom.coco.photo_root import AnnPath, photo_root
from mmseg_custom.coco.photos import PHOTO_SUFFIXES, read_photo, swap_channels
from mmseg_custom.coco.result_photos import photo_name
from mmseg_custom.utils import UserError
from mmseg_custom.utils.addresses import why_not_plain
from mmseg_custom.utils.remote import is_dir, is_file, local_path, walk

from .video import VIDEO_SUFFIXES, Frame, Video


@dataclass(frozen=True)
class PhotoSource:
    """One photo to predict.

    Attributes:
        name: Relative path without suffix under which results are written, unique in a run.
        path: The file.
        file_name: The photo relative to its input, such as ``a/x.jpg`` or ``v.mp4#000012``.
        image: The image entry of the COCO file that named it, or None.
        video: The video that it is a frame of, or None.
        frame: The frame of the video.
    """

    name: str
    path: Path
    file_name: str
    image: dict | None = None
    video: Video | None = None
    frame: Frame | None = None

    def read(self) -> np.ndarray:
        """Return the photo, ``(H, W, 3)`` uint8 RGB.

        Raises:
            UserError: It is missing or damaged.
        """
        if self.video is not None and self.frame is not None:
            return self.video.read(self.frame.place)
        return swap_channels(read_photo(self.path))

    def named(self, file_name: str) -> 'PhotoSource':
        """Return the same photo under another file name (that of its video)."""
        if self.frame is None:
            return replace(self, name=photo_name(file_name), file_name=file_name)
        number = f'{self.frame.number:06d}'
        return replace(
            self, name=f'{photo_name(file_name)}/{number}', file_name=f'{file_name}#{number}'
        )


def list_photos(
    inputs: Sequence[str | os.PathLike],
    data_root: str | os.PathLike | None = None,
    every: int = 1,
    outputs: Sequence[str | os.PathLike] = (),
) -> list[PhotoSource]:
    """Collect photos.

    Names are relative to the input. Where two inputs have the same name, all are relative to the
    folder that the inputs have in common.

    Args:
        inputs: Image files, folders (searched through), COCO files or glob patterns of such (their
            images), videos.
        data_root: Folder that a COCO file's names are relative to; its own folder if None.
        every: Take every Nth frame of a video.
        outputs: Folders that results are written to; nothing in them is taken for a photo.

    Returns:
        list[PhotoSource]: In the order of the inputs, folders sorted by path.

    Raises:
        UserError: An input is missing or of an unknown kind, there is no photo, or two photos
            would have the same name.
    """
    found = [
        p for item in inputs for p in _photos_of(Path(local_path(item)), data_root, every, outputs)
    ]
    if not found:
        raise UserError(f'{", ".join(map(str, inputs))}: no photo found')
    if len(inputs) > 1 and _same_name(found):
        root = os.path.commonpath([os.path.abspath(photo.path.parent) for photo in found])
        found = [photo.named(PurePath(os.path.relpath(photo.path, root)).as_posix())
                 for photo in found]  # fmt: skip
    _require_distinct(found)
    return found


def list_annotated(path: AnnPath, data_root: str | os.PathLike | None = None) -> list[PhotoSource]:
    """Collect the photos of annotation files.

    Args:
        path: See :func:`~mmseg_custom.coco.ann_files.annotation_files`.
        data_root: As for :func:`list_photos`.

    Raises:
        UserError: The files cannot be used, or two photos would have the same name.
    """
    found = list(_photos_of_coco(path, data_root))
    _require_distinct(found)
    return found


def _require_distinct(photos: Sequence[PhotoSource]) -> None:
    if pair := _same_name(photos):
        raise UserError(
            f'{pair[0].path} and {pair[1].path} would both be written as {pair[0].name}: '
            'rename one, or predict them in two runs'
        )


def _same_name(photos: Sequence[PhotoSource]) -> tuple[PhotoSource, PhotoSource] | None:
    seen: dict[str, PhotoSource] = {}
    for photo in photos:
        if photo.name in seen:
            return photo, seen[photo.name]
        seen[photo.name] = photo
    return None


def folder_of(item: str | os.PathLike, data_root: str | os.PathLike | None = None) -> Path:
    """Return the folder that the names of an input's photos are relative to.

    Args:
        item: A folder, or a COCO file.
        data_root: Folder of the photos of a COCO file; see
            :func:`~mmseg_custom.coco.photo_root.photo_root`.
    """
    if is_dir(item):
        return Path(local_path(item))
    content = read_coco(item) if Path(item).suffix.lower() == '.json' else {}
    return photo_root(item, content, data_root)


def _photos_of(path: Path, data_root, every: int, outputs) -> Iterator[PhotoSource]:
    suffix = path.suffix.lower()
    if why_not := why_not_plain(path):
        raise UserError(why_not)
    if is_dir(path):
        yield from _photos_of_folder(path, outputs)
    elif suffix == '.json' and is_several(path):
        yield from _photos_of_coco(path, data_root)
    elif not is_file(path):
        raise UserError(f'{path}: no such file or folder')
    elif suffix == '.json':
        yield from _photos_of_coco(path, data_root)
    elif suffix in VIDEO_SUFFIXES:
        video = Video(path, every)
        for frame in video.frames:
            yield PhotoSource('', path, '', video=video, frame=frame).named(path.name)
    elif suffix in PHOTO_SUFFIXES:
        yield PhotoSource(photo_name(path.name), path, path.name)
    else:
        raise UserError(f'{path}: is neither a photo, a folder, a COCO file nor a video')


def _photos_of_folder(path: Path, outputs) -> Iterator[PhotoSource]:
    for file in photos_below(path, outputs):
        relative = file.relative_to(path)
        yield PhotoSource(photo_name(relative), file, relative.as_posix())
    files = (Path(folder, name) for folder, _, names in walk(path) for name in names)
    videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
    if videos:
        print(f'{path}: has {len(videos)} videos such as {videos[0].name}: left out, since only '
              'photos of a folder are taken; name videos themselves')  # fmt: skip


def _photos_of_coco(path: AnnPath, data_root: str | os.PathLike | None) -> Iterator[PhotoSource]:
    content = read_coco(path)
    require_valid(path, content, None)
    root = photo_root(path, content, data_root)
    again = {id(image) for image, _ in repeats(content['images'])}
    for image in content['images']:
        if id(image) in again:
            continue
        name = PurePath(image['file_name'])
        if name.is_absolute() or '..' in name.parts:
            raise UserError(f'{path}: the file_name {name} leads out of the folder of the results')
        yield PhotoSource(photo_name(name), root / name, image['file_name'], image=image)
