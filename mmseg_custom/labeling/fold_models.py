"""The models of a cross-validation, and which of them has not seen a photo."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from mmseg_custom.checkpoints.meta import checkpoint_meta
from mmseg_custom.coco.photo_identity import file_identity, identities
from mmseg_custom.utils import UserError

MEASURED = 'kfold.json'


def fold_checkpoints(folder: str | os.PathLike) -> list[Path]:
    """Return the checkpoint of each fold of a cross-validation.

    Args:
        folder: What tools/kfold_train.py wrote to; it may have been moved.

    Raises:
        UserError: No cross-validation, or a checkpoint is missing.
    """
    path = Path(folder, MEASURED)
    try:
        models = json.loads(path.read_text(encoding='utf-8'))['models']
        # The last three parts: experiment, fold, file.
        found = [Path(folder, *Path(model['checkpoint']).parts[-3:]) for model in models]
    except FileNotFoundError:
        raise UserError(f'{path}: no such file', kind='missing-cross-validation') from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f'{path}: does not list the models of a cross-validation') from None
    for checkpoint in found:
        if not checkpoint.is_file():
            raise UserError(f'{checkpoint}: {path} names this checkpoint, and it is missing')
    return found


def photos_by_model(
    checkpoints: Sequence[Path], photos: Sequence[str | os.PathLike]
) -> tuple[list[list[int]], list[int]]:
    """Find the model that was not trained on each photo, by the content of the photos.

    A checkpoint carries the identities of its validation photos, none of which it was trained on.

    Args:
        checkpoints: One a fold.
        photos: Files.

    Returns:
        tuple[list[list[int]], list[int]]: Places of the photos of each model; places of those that
        no model was validated on, or that cannot be read.

    Raises:
        UserError: A checkpoint carries no validation photos.
    """
    fold_of: dict[str, int] = {}
    for number, checkpoint in enumerate(checkpoints):
        stored = checkpoint_meta(checkpoint).get('validation_photos')
        if not stored:
            raise UserError(f'{checkpoint}: does not say which photos it was not trained on')
        for digest, _ in stored:
            fold_of.setdefault(digest, number)
    result: list[list[int]] = [[] for _ in checkpoints]
    rest = []
    for place, identity in enumerate(identities(photos, file_identity, 'comparing')):
        fold = None if identity is None else fold_of.get(identity[0])
        (rest if fold is None else result[fold]).append(place)
    return result, rest
