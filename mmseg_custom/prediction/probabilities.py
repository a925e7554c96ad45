"""Files of probabilities, as tools/predict.py writes them."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from mmseg_custom.utils import UserError
from mmseg_custom.utils.npz import write_npz

FOLDER = 'probabilities'
# float16 knows no more of a number near 1 than this; zeros take no room.
SMALLEST = 1e-4


def write_probabilities(path: str | os.PathLike, probabilities: np.ndarray) -> None:
    """Write an ``.npz`` that ``numpy.load`` reads, about 2 MB for 512x512 pixels and 11 classes.

    Args:
        path: The file.
        probabilities: ``(C, H, W)`` float, 0..1. Stored as float16; below 1e-4 as 0.
    """
    stored = np.where(probabilities < SMALLEST, 0, probabilities).astype(np.float16)
    write_npz(path, probabilities=stored)


def read_probabilities(path: str | os.PathLike) -> np.ndarray:
    """Read what :func:`write_probabilities` has written.

    Args:
        path: The file.

    Returns:
        np.ndarray: ``(C, H, W)`` float32, summing to 1 over the classes.

    Raises:
        UserError: It is missing, cut short or something else.
    """
    try:
        with np.load(path) as archive:
            (stored,) = archive.values()
    except FileNotFoundError:
        raise UserError(f'{path}: no such file', kind='missing-probabilities') from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise UserError(f'{path}: is cut short or no probabilities; predict it again') from None
    if stored.ndim != 3 or stored.dtype.kind != 'f':
        raise UserError(f'{path}: holds {stored.shape} {stored.dtype}, not (C, H, W) probabilities')
    probabilities = stored.astype(np.float32)
    total = probabilities.sum(axis=0)
    if not (np.isfinite(total).all() and total.min() > 0):
        raise UserError(f'{path}: holds numbers that are no probabilities; predict it again')
    return probabilities / total


def listed_names(folder: str | os.PathLike) -> list[str]:
    """Return the names, sorted, of the photos whose probabilities a folder has.

    Args:
        folder: What tools/predict.py wrote to.

    Raises:
        UserError: There are none.
    """
    root = Path(folder, FOLDER)
    names = sorted(p.relative_to(root).with_suffix('').as_posix() for p in root.rglob('*.npz'))
    names = [name for name in names if not Path(name).name.startswith('.')]
    if not names:
        raise UserError(f'{folder}: has no probabilities', kind='missing-probabilities')
    return names


def path_of(folder: str | os.PathLike, name: str) -> Path:
    """Return where a folder has the probabilities of a photo."""
    return Path(folder, FOLDER, f'{name}.npz')
