"""Keeping the photos that measure out of the photos that teach."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from mmengine.config import Config

from mmseg_custom.experiment.config import leaf_datasets
from mmseg_custom.prediction.photo_sources import PhotoSource, list_photos
from mmseg_custom.utils import UserError
from mmseg_custom.utils.progress import tqdm


def validation_photos(
    cfg: Config, exclude: Sequence[str] | None, data_root: str | None
) -> list[PhotoSource]:
    """Return the photos that no pseudo label may be made for.

    Args:
        cfg: The experiment; its validation set, unless ``exclude`` says others.
        exclude: COCO files, or None.
        data_root: Folder of the photos of ``exclude``; the files' own if None.

    Raises:
        UserError: There is no such file, or a photo is not there: nothing could be promised.
    """
    if exclude is None:
        dataset = next(leaf_datasets(cfg.val_dataloader.dataset))
        data_root = dataset.data_root
        exclude = [os.path.join(data_root, dataset.ann_file)]
        if not os.path.isfile(exclude[0]):
            raise UserError(
                f'{exclude[0]}: the validation set of the experiment is missing, so its photos '
                'cannot be kept out',
                kind='no-validation-set',
            )
    photos = [photo for file in exclude for photo in list_photos([file], data_root)]
    for photo in photos:
        if not photo.path.is_file():
            raise UserError(
                f'{photo.path}: this validation photo is missing, so it cannot be kept out',
                kind='missing-photos',
            )
    return photos


def drop_excluded(
    photos: Sequence[PhotoSource], excluded: Sequence[PhotoSource]
) -> tuple[list[PhotoSource], list[str]]:
    """Drop the photos that show what an excluded one shows, whatever their names.

    Args:
        photos: To choose from.
        excluded: See :func:`validation_photos`.

    Returns:
        tuple[list[PhotoSource], list[str]]: Those that stay, and the names of the others.

    Raises:
        UserError: None stays.
    """
    secret = set(photo_digests(excluded, 'validation')) - {None}
    digests = photo_digests(photos, 'comparing')
    stays = [digest not in secret for digest in digests]
    kept = [photo for photo, ok in zip(photos, stays, strict=True) if ok]
    if not kept:
        raise UserError('every photo is a validation photo')
    return kept, [photo.name for photo, ok in zip(photos, stays, strict=True) if not ok]


def photo_digests(photos: Iterable[PhotoSource], what: str) -> list[str | None]:
    """Return the SHA-256 of each photo's pixels, which a new name or new metadata does not change.

    Args:
        photos: The photos.
        what: Named beside the progress.

    Returns:
        list[str | None]: None for a photo that cannot be read.
    """
    photos = list(photos)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(tqdm(pool.map(_digest, photos), what, len(photos), leave=False, unit='photo'))


def _digest(photo: PhotoSource) -> str | None:
    try:
        pixels = photo.read()
    except UserError:
        return None
    return digest_of_pixels(pixels)


def digest_of_pixels(pixels: np.ndarray) -> str:
    """Return the SHA-256 of a photo's size and pixels, ``(H, W, 3)`` uint8."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
