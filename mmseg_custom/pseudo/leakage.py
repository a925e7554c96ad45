"""Keep validation photos out of the photos that are labeled for training."""

from collections.abc import Sequence

from mmengine.config import Config

from mmseg_custom.checkpoints.meta import checkpoint_meta
from mmseg_custom.coco.ann_files import existing_files, joined_path
from mmseg_custom.coco.photo_identity import find_same, identities, photo_identity
from mmseg_custom.experiment.config import load_config
from mmseg_custom.experiment.datasets import leaf_datasets
from mmseg_custom.prediction.photo_sources import PhotoSource, list_annotated, list_photos
from mmseg_custom.utils import UserError
from mmseg_custom.utils.remote import is_file

Identity = tuple[str, str]


def validation_identities(
    models: Sequence[tuple[str | None, str]],
    exclude: Sequence[str] | None = None,
    data_root: str | None = None,
) -> list[Identity]:
    """Return the identities of the photos that no pseudo label may be made for.

    A checkpoint carries those of the photos it was validated on. They count in any case; for one
    that carries none, and without ``exclude``, the validation set of its config does.

    Args:
        models: Config, or None, and checkpoint of each.
        exclude: COCO files of more photos, or None.
        data_root: Folder of the photos of ``exclude``; the files' own if None.

    Raises:
        UserError: A file or a photo is not there: nothing could be promised.
    """
    known: list[Identity] = []
    photos = [photo for file in exclude or () for photo in list_photos([file], data_root)]
    for config, checkpoint in models:
        stored = checkpoint_meta(checkpoint).get('validation_photos')
        known += [(digest, look) for digest, look in stored or ()]
        if stored is None and exclude is None and config:
            photos += _photos_of_config(load_config(config))
    for photo in photos:
        if not is_file(photo.path):
            raise UserError(
                f'{photo.path}: this validation photo is missing, so it cannot be kept out',
                kind='missing-photos',
            )
    return known + [one for one in _identities(photos, 'validation photos') if one]


def drop_excluded(
    photos: Sequence[PhotoSource], excluded: Sequence[Identity]
) -> tuple[list[PhotoSource], dict[str, str]]:
    """Drop the photos that show what an excluded one shows, whatever their names.

    Args:
        photos: To choose from.
        excluded: See :func:`validation_identities`.

    Returns:
        tuple[list[PhotoSource], dict[str, str]]: Those that stay; and by the names of the others,
        sorted as they came, how each is known
        (:func:`~mmseg_custom.coco.photo_identity.find_same`).

    Raises:
        UserError: None stays.
    """
    how = find_same(_identities(photos, 'comparing'), excluded)
    kept = [photo for photo, known in zip(photos, how, strict=True) if not known]
    if not kept:
        raise UserError('every photo is a validation photo')
    return kept, {photo.name: known for photo, known in zip(photos, how, strict=True) if known}


def _photos_of_config(cfg: Config) -> list[PhotoSource]:
    photos = []
    for dataset in leaf_datasets(cfg.val_dataloader.dataset):
        file = joined_path(dataset.ann_file, dataset.get('data_root') or '')
        if not existing_files(file):
            raise UserError(
                f'{file}: the validation set of the experiment is missing, so its photos cannot be '
                'kept out',
                kind='no-validation-set',
            )
        photos += list_annotated(file, dataset.get('data_root'))
    return photos


def _identities(photos: Sequence[PhotoSource], what: str) -> list[Identity | None]:
    return identities(photos, lambda photo: photo_identity(photo.read()), what)
