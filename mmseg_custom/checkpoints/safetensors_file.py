"""Weights and their classes as safetensors, a format that can hold nothing else."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import torch

from mmseg_custom.utils.atomic import atomic_path
from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.model_folder import experiment_beside

SUFFIX = '.safetensors'


def write_safetensors(path: str | os.PathLike, checkpoint: Mapping) -> None:
    """Write the weights of a checkpoint, its classes and its palette.

    Args:
        path: The ``.safetensors`` file.
        checkpoint: With ``state_dict`` and, where known, ``meta``, plain data.

    Raises:
        UserError: The state dict holds something other than tensors.
    """
    from safetensors.torch import save_file

    state = checkpoint['state_dict']
    odd = [name for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if odd:
        raise UserError(f'{path}: {odd[0]} is no tensor, and safetensors holds nothing else')
    # A file of its own for each: safetensors refuses tensors that share memory.
    state = {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}
    meta = dict(checkpoint.get('meta') or {})
    # Under a name of its own, as earlier versions wrote and read it.
    dataset_meta = json.dumps(dict(meta.pop('dataset_meta', None) or {}))
    metadata = dict(
        format='pt', dataset_meta=dataset_meta, meta=json.dumps(meta), sha256=_digest(state)
    )
    with atomic_path(path, durable=True) as temporary:
        save_file(state, temporary, metadata=metadata)


def read_safetensors(path: str | os.PathLike, map_location: Any = 'cpu') -> dict[str, dict]:
    """Read weights from any ``.safetensors`` file, and the classes if one of ours.

    In a model folder the experiment is a file of its own beside the weights.

    Args:
        path: The file.
        map_location: The device.

    Returns:
        dict: ``state_dict``, and ``meta`` with ``dataset_meta``.

    Raises:
        UserError: The file is missing, damaged, or something else.
    """
    from safetensors import SafetensorError, safe_open

    if not os.path.isfile(path):
        raise UserError(f'{path}: no such checkpoint')
    damaged = UserError(f'{path}: is damaged or no safetensors file; copy or convert it again')
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        dataset_meta = json.loads(metadata.get('dataset_meta', '{}'))
        meta = json.loads(metadata.get('meta', '{}'))
    except (SafetensorError, ValueError):
        raise damaged from None
    if metadata.get('sha256', _digest(state)) != _digest(state):
        raise damaged
    if (experiment := experiment_beside(path)) is not None:
        meta['experiment'] = experiment
    state = {name: value.to(map_location) for name, value in state.items()}
    return dict(state_dict=state, meta=dict(meta, dataset_meta=dataset_meta))


def _digest(state: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name]
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
