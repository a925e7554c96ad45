"""Reading checkpoints that come from anywhere: tensors and plain data, and no code."""

import os
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from mmseg_custom.utils.errors import UserError

from .checkpoint import require_readable
from .safetensors_file import SUFFIX, read_safetensors

# PyTorch's own switch: every torch.load is one of weights only, whatever its caller says.
FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
TERMINAL_CODE = re.compile(r'\x1b\[[0-9;]*m')
# Such as "Unsupported global: GLOBAL fractions.Fraction was not an allowed global".
FOUND = re.compile(r'GLOBAL ([\w.]*\w)')
_trusted: set[str] = set()


def trust(*paths: str | os.PathLike) -> None:
    """Let files, or all files in folders, run what they say while they are loaded."""
    _trusted.update(os.path.realpath(path) for path in paths)


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read a checkpoint to the CPU without running anything that it says.

    Args:
        path: See :func:`read_checkpoint`.

    Returns:
        dict: The checkpoint; a bare state dict is returned as ``dict(state_dict=…)``.

    Raises:
        UserError: It is missing, damaged, no checkpoint, or holds something else.
    """
    content = read_checkpoint(path)
    if not isinstance(content, dict):
        raise UserError(f'{path}: holds a {type(content).__name__}, not the weights of a model')
    return content if 'state_dict' in content else dict(state_dict=content)


def read_checkpoint(path: str | os.PathLike, map_location: Any = 'cpu') -> Any:
    """Read what a checkpoint holds without running anything that it says.

    A pickle can call any function. Only what MMEngine's own checkpoints need is let through: plain
    data, tensors, NumPy arrays and the curves of its log.

    Args:
        path: The ``.pth`` or ``.safetensors`` file.
        map_location: Where tensors go; see :func:`torch.load`.

    Returns:
        Any: The content; of a ``.safetensors`` file ``state_dict`` and ``meta``.

    Raises:
        UserError: It is missing, damaged, no checkpoint, or holds something else and is not
            trusted (:func:`trust`).
    """
    if os.fspath(path).endswith(SUFFIX):
        return read_safetensors(path, map_location)
    require_readable(path)
    if _is_trusted(path):
        with _environment(FORCE, None):
            return torch.load(path, map_location=map_location, weights_only=False)
    try:
        with torch.serialization.safe_globals(_allowed()):
            return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise untrusted(str(path), error) from None


@contextmanager
def no_code() -> Iterator[None]:
    """Let no ``torch.load`` in the body run code, not even where a library asks for it.

    Libraries fetch pretrained weights from their hubs with ``weights_only=False``.
    """
    with _environment(FORCE, '1'), torch.serialization.safe_globals(_allowed()):
        yield


def untrusted(what: str, error: pickle.UnpicklingError) -> UserError:
    """Return the error to raise for a file that holds more than weights.

    Args:
        what: Names the file.
        error: What PyTorch raised. Its text has terminal codes and advice for programmers; only the
            name of what was found is kept.
    """
    text = TERMINAL_CODE.sub('', str(error))
    found = FOUND.search(text)
    reason = found[1] if found else text.splitlines()[-1].strip()
    return UserError(
        f'{what}: holds more than weights and numbers ({reason}), which could run code',
        kind='untrusted-checkpoint',
    )


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """Set, or take away, an environment variable for a while."""
    before = os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def _is_trusted(path: str | os.PathLike) -> bool:
    path = os.path.realpath(path)
    return path in _trusted or os.path.dirname(path) in _trusted


def _allowed() -> list:
    multiarray: Any = np._core.multiarray  # type: ignore[attr-defined]  # NumPy hides it
    scalar, reconstruct = multiarray.scalar, multiarray._reconstruct
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
