"""What a prediction runs on: files, folders, COCO files and videos, as one list of photos."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import cv2
import numpy as np

from mmseg_custom.coco import read_coco, require_valid
from mmseg_custom.coco.listed_twice import repeats
from mmseg_custom.coco.photo_root import photo_root
from mmseg_custom.coco.photos import PHOTO_SUFFIXES, read_photo
from mmseg_custom.utils import UserError

VIDEO_SUFFIXES = frozenset(('.mp4', '.avi', '.mov', '.mkv', '.webm'))


@dataclass(frozen=True)
class PhotoSource:
    """One photo to predict.

    Attributes:
        name: Relative path without suffix under which results are written, unique in a run.
        path: The file.
        frame: Number of the frame, for a video.
        image: The image entry of the COCO file that named it, or None.
    """

    name: str
    path: Path
    frame: int | None = None
    image: dict | None = None

    def read(self) -> np.ndarray:
        """Return the photo, ``(H, W, 3)`` uint8 RGB.

        Raises:
            UserError: It is missing or broken.
        """
        if self.frame is not None:
            return _read_frame(self.path, self.frame)
        return np.ascontiguousarray(read_photo(self.path)[..., ::-1])


def list_photos(
    inputs: Sequence[str | os.PathLike], data_root: str | os.PathLike | None = None, every: int = 1
) -> list[PhotoSource]:
    """Collect photos.

    Args:
        inputs: Image files, folders (searched through), COCO files (their images), videos.
        data_root: Folder that a COCO file's names are relative to; its own folder if None.
        every: Of a video, take every so many-th frame.

    Returns:
        list[PhotoSource]: In the order of the inputs, folders sorted by path.

    Raises:
        UserError: An input is missing or of an unknown kind, there is no photo, or two photos
            would have the same name.
    """
    found = [photo for item in inputs for photo in _photos_of(Path(item), data_root, every)]
    if not found:
        raise UserError(f'{", ".join(map(str, inputs))}: no photo found; name files or folders')
    seen = {}
    for photo in found:
        if photo.name in seen:
            raise UserError(
                f'{photo.path} and {seen[photo.name].path} would both be written as {photo.name}: '
                'rename one, or predict them in two runs'
            )
        seen[photo.name] = photo
    return found


def folder_of(item: str | os.PathLike, data_root: str | os.PathLike | None = None) -> Path:
    """Return the folder that the names of an input's photos are relative to.

    Args:
        item: A folder, or a COCO file.
        data_root: Folder of the photos of a COCO file; see
            :func:`~mmseg_custom.coco.photo_root.photo_root`.
    """
    if Path(item).is_dir():
        return Path(item)
    content = read_coco(item) if Path(item).suffix.lower() == '.json' else {}
    return photo_root(item, content, data_root)


def _photos_of(path: Path, data_root, every: int) -> Iterator[PhotoSource]:
    suffix = path.suffix.lower()
    if path.is_dir():
        for file in sorted(path.rglob('*')):
            if file.suffix.lower() in PHOTO_SUFFIXES and not file.name.startswith('.'):
                yield PhotoSource(photo_name(file.relative_to(path)), file)
    elif not path.is_file():
        raise UserError(f'{path}: no such file or folder')
    elif suffix == '.json':
        yield from _photos_of_coco(path, data_root)
    elif suffix in VIDEO_SUFFIXES:
        for frame in range(0, _count_frames(path), every):
            yield PhotoSource(f'{path.stem}/{frame:06d}', path, frame)
    elif suffix in PHOTO_SUFFIXES:
        yield PhotoSource(path.stem, path)
    else:
        raise UserError(f'{path}: is neither a photo, a folder, a COCO file nor a video')


def _photos_of_coco(path: Path, data_root: str | os.PathLike | None) -> Iterator[PhotoSource]:
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
        yield PhotoSource(photo_name(name), root / name, image=image)


def photo_name(file_name: str | PurePath) -> str:
    """Return the name under which the results of a photo are written."""
    return PurePath(file_name).with_suffix('').as_posix()


def _count_frames(path: Path) -> int:
    video = cv2.VideoCapture(str(path))
    frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
    video.release()
    if frames < 1:
        raise UserError(f'{path}: cannot be read as a video; convert it to MP4')
    return frames


def _read_frame(path: Path, number: int) -> np.ndarray:
    # Opened anew for each frame: frames are read by several threads, in any order.
    video = cv2.VideoCapture(str(path))
    video.set(cv2.CAP_PROP_POS_FRAMES, number)
    whole, frame = video.read()
    video.release()
    if not whole:
        raise UserError(f'{path}: frame {number} cannot be read; the video is cut short')
    return np.ascontiguousarray(frame[..., ::-1])
