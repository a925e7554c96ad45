"""Reading checkpoints that come from anywhere: tensors and plain data, and no code."""

import os
import pickle
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from .checkpoint import require_readable
from .errors import UserError


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read a checkpoint to the CPU without running anything that it says.

    A pickle can call any function. Only what MMEngine's own checkpoints need is let through: plain
    data, tensors, NumPy arrays and the curves of its log.

    Args:
        path: The ``.pth`` file.

    Returns:
        dict: The checkpoint; a bare state dict is returned as ``dict(state_dict=…)``.

    Raises:
        UserError: It is missing, cut short, no checkpoint, or holds something else.
    """
    require_readable(path)
    try:
        with torch.serialization.safe_globals(_allowed()):
            content = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f'{path}: holds more than weights and numbers ({reason}), which could run code: save '
            'its state_dict alone, or train anew'
        ) from None
    if not isinstance(content, dict):
        raise UserError(f'{path}: holds a {type(content).__name__}, not the weights of a model')
    return content if 'state_dict' in content else dict(state_dict=content)


def _allowed() -> list:
    scalar, reconstruct = np._core.multiarray.scalar, np._core.multiarray._reconstruct
    return [
        HistoryBuffer,
        np.dtype,
        np.ndarray,
        (scalar, 'numpy._core.multiarray.scalar'),
        (scalar, 'numpy.core.multiarray.scalar'),
        (reconstruct, 'numpy._core.multiarray._reconstruct'),
        (reconstruct, 'numpy.core.multiarray._reconstruct'),
        *(type(np.dtype(code)) for code in '?bBhHiIlLqQefd'),
        # A curve names its own methods; getattr itself would open the way to everything.
        (_statistic_of_a_curve, 'builtins.getattr'),
    ]


def _statistic_of_a_curve(owner: Any, name: str) -> Any:
    if owner is not HistoryBuffer or name not in ('min', 'max', 'mean', 'current', 'statistics'):
        raise pickle.UnpicklingError(f'it asks for {name!r} of {owner!r}')
    return getattr(owner, name)
