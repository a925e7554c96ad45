"""Making a model folder from a checkpoint, and fetching one from the Hugging Face Hub."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mmseg_custom.utils.atomic import atomic_path
from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.extras import needing
from mmseg_custom.utils.model_folder import CARD, EXPERIMENT, WEIGHTS

from .checkpoint import state_of
from .meta import record_of
from .pretrained import fetching
from .safetensors_file import write_safetensors

# Where a training ran and what it read is its machine's; a published model does without.
PRIVATE = ('origin', 'annotations', 'experiment')
# float16 has 11 bits: a value in its normal range keeps three decimal digits.
TOLERANCE = 1e-3


def write_model_folder(
    folder: str | os.PathLike, checkpoint: Mapping, experiment: dict[str, Any]
) -> int:
    """Write weights and experiment of a checkpoint as a model folder.

    Weights and statistics are stored as float16 where each keeps three digits; they are float32
    again when they are loaded.

    Args:
        folder: Where to; made if it is missing.
        checkpoint: A loaded checkpoint, with its classes.
        experiment: Plain data that JSON can hold, see
            :func:`~mmseg_custom.experiment.stored.published_experiment`.

    Returns:
        int: Bytes of both files.
    """
    folder = Path(folder)
    meta = {key: value for key, value in record_of(checkpoint).items() if key not in PRIVATE}
    state = {name: compact(name, value) for name, value in state_of(checkpoint).items()}
    write_safetensors(folder / WEIGHTS, dict(state_dict=state, meta=meta))
    with atomic_path(folder / EXPERIMENT) as temporary:
        text = json.dumps(experiment, indent=1, ensure_ascii=False)
        temporary.write_text(text + '\n', encoding='utf-8')
    return sum((folder / name).stat().st_size for name in (WEIGHTS, EXPERIMENT))


def compact(name: str, value: torch.Tensor) -> torch.Tensor:
    """Return a tensor as float16 if that keeps three digits of all its values.

    Args:
        name: Its name in the model.
        value: Of any shape and type.
    """
    if value.dtype != torch.float32:
        return value
    half = value.half()
    # Against the largest of the tensor: what is far below it does not show in a sum. A variance
    # is no part of a sum: each divides a channel of its own.
    smallest = TOLERANCE * value.abs().max() * (not name.endswith('running_var'))
    error = (half.float() - value).abs()
    return half if bool((error <= TOLERANCE * value.abs().clamp(min=smallest)).all()) else value


def fetch_model_folder(
    name: str,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    local_files_only: bool = False,
) -> str:
    """Fetch a model folder from the Hugging Face Hub; nothing but its three files.

    Args:
        name: Such as ``owner/model``.
        revision: Branch, tag or commit.
        cache_dir: Cache of the Hub; None: its usual place.
        local_files_only: Use what is in the cache already.

    Returns:
        str: The folder.

    Raises:
        UserError: It cannot be had, or huggingface_hub is missing.
    """
    with needing('huggingface_hub', 'zoo'):
        from huggingface_hub import snapshot_download
    try:
        with fetching(f'of {name}'):
            return snapshot_download(
                name,
                revision=revision,
                cache_dir=os.fspath(cache_dir) if cache_dir else None,
                local_files_only=local_files_only,
                allow_patterns=[WEIGHTS, EXPERIMENT, CARD],
            )
    except UserError as error:
        raise UserError(f'{name}: is no folder here, and {error}', kind=error.kind) from None
