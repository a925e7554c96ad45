"""Looking at a checkpoint before it is used."""

import hashlib
import os
from collections.abc import Mapping

import torch
from torch import nn

from mmseg_custom.classes import ClassList, class_list
from mmseg_custom.utils.errors import UserError

from .safetensors_file import SUFFIX, read_safetensors
from .sealed import is_whole

BLOCK = 1 << 20


def require_readable(path: str | os.PathLike) -> None:
    """Raise when a file is no complete checkpoint, without running anything in it.

    Args:
        path: The ``.safetensors`` file, or the ``.pth`` file
            (:func:`~mmseg_custom.checkpoints.sealed.is_whole`).

    Raises:
        UserError: The file is missing, cut short, changed, or something else.
    """
    if os.fspath(path).endswith(SUFFIX):
        read_safetensors(path)
        return
    if not os.path.isfile(path):
        raise UserError(f'{path}: no such checkpoint')
    if not is_whole(path):
        raise UserError(
            f'{path}: is truncated, damaged or no PyTorch checkpoint; take the one before it '
            '(iter_*.pth in the work folder), or copy it again'
        )


def digest_of(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file, which identifies a checkpoint."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def state_of(checkpoint: Mapping) -> dict[str, torch.Tensor]:
    """Return a checkpoint's weights by name, without the ``module.`` that DDP puts before them."""
    state = checkpoint.get('state_dict', checkpoint)
    return {name.removeprefix('module.'): value for name, value in state.items()}


def require_same_weights(path: str, checkpoint: Mapping, model: nn.Module) -> None:
    """Raise when a checkpoint's weights are not those of ``model`` by name and shape.

    Args:
        path: Named in the message.
        checkpoint: A loaded checkpoint.
        model: The model that it shall be loaded into.

    Raises:
        UserError: Other architecture or other number of classes.
    """
    theirs, ours = state_of(checkpoint), model.state_dict()
    missing = [name for name in ours if name not in theirs]
    extra = [name for name in theirs if name not in ours]
    if missing or extra:
        raise UserError(
            f'{path}: is a checkpoint of another architecture ({len(missing)} of the '
            f"{len(ours)} weights of the config's model are missing, {len(extra)} are foreign; "
            f'first: {(missing + extra)[0]}); use the config it was trained with'
        )
    for name, value in ours.items():
        if theirs[name].shape == value.shape:
            continue
        is_head = 'conv_seg' in name
        what = 'another number of classes' if is_head else 'another architecture'
        raise UserError(
            f'{path}: is a checkpoint of {what} ({name} is {tuple(theirs[name].shape)}, the '
            f"config's model has {tuple(value.shape)}); use the config it was trained with"
        )


def require_finite(path: str | os.PathLike, checkpoint: Mapping) -> None:
    """Raise when a weight is NaN or infinite, before it spreads to another file.

    Args:
        path: Named in the message.
        checkpoint: A loaded checkpoint.

    Raises:
        UserError: Names the first tensor with such a value.
    """
    for name, value in state_of(checkpoint).items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise UserError(
                f'{path}: its weights {name} are not finite (NaN or infinity); take another '
                'checkpoint'
            )


def classes_of(checkpoint: Mapping, path: str | os.PathLike) -> ClassList | None:
    """Return the classes that a checkpoint carries, None where it carries none.

    Args:
        checkpoint: A loaded checkpoint; MMEngine's have ``meta.dataset_meta``.
        path: Its file, named in messages.

    Raises:
        UserError: What it carries is no class list.
    """
    meta = checkpoint.get('meta') or {}
    # MMSegmentation before 1.0 wrote them in capitals.
    before = dict(classes=meta.get('CLASSES'), palette=meta.get('PALETTE'))
    metainfo = meta.get('dataset_meta') or before
    if not metainfo.get('classes'):
        return None
    return class_list(metainfo, os.fspath(path))


def require_same_classes(path: str, checkpoint: Mapping, metainfo: Mapping) -> None:
    """Raise when a checkpoint was trained on other classes, or on the same in another order.

    Args:
        path: Named in the message.
        checkpoint: A loaded checkpoint; MMEngine's have ``meta.dataset_meta``.
        metainfo: The data set's.

    Raises:
        UserError: Both say their classes, and they differ.
    """
    theirs = classes_of(checkpoint, path)
    ours = class_list(metainfo) if metainfo.get('classes') else None
    if theirs and ours and not theirs.is_same_as(ours):
        raise UserError(f'{path}: was trained on {theirs}; the data set has {ours}')
