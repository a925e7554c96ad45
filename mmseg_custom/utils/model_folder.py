"""The names in a model folder: weights, experiment and card of one model that can be published."""

import os
from pathlib import Path

from .errors import UserError

WEIGHTS = 'model.safetensors'
EXPERIMENT = 'experiment.json'
CARD = 'README.md'


def weights_path(model: str | os.PathLike) -> str:
    """Return the file of weights in a model folder; the path of a file stays as it is.

    Args:
        model: A model folder, or a checkpoint.

    Raises:
        UserError: A folder without :data:`WEIGHTS` or :data:`EXPERIMENT`.
    """
    path = Path(model)
    if not path.is_dir():
        return os.fspath(model)
    missing = [name for name in (WEIGHTS, EXPERIMENT) if not (path / name).is_file()]
    if missing:
        raise UserError(f'{path}: is no model folder, it has no {" and no ".join(missing)}')
    return str(path / WEIGHTS)


def experiment_beside(weights: str | os.PathLike) -> str | None:
    """Return the experiment's JSON text beside a model folder's weights, None for another file.

    Args:
        weights: A file of weights.

    Raises:
        UserError: The file is not UTF-8 text.
    """
    path = Path(weights).with_name(EXPERIMENT)
    if Path(weights).name != WEIGHTS or not path.is_file():
        return None
    try:
        return path.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: is not UTF-8 text ({error})') from None
