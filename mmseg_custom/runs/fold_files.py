"""The files of folds, as data_prep/stratified_kfold.py writes them."""

import os
from collections.abc import Sequence
from pathlib import Path

from mmseg_custom.utils import UserError


def fold_file(folder: str | os.PathLike, fold: int, part: str) -> str:
    """Return the absolute path of a fold's COCO file; ``part`` is ``train`` or ``val``."""
    return str(Path(folder, f'kfold_{fold}_{part}.json').resolve())


def numbers_of_folds(folder: str | os.PathLike, wanted: Sequence[int] | None = None) -> list[int]:
    """Return the numbers of the folds in a folder, or those wanted.

    Args:
        folder: With ``kfold_0_val.json`` and so on.
        wanted: Numbers that have to be there; None: all.

    Raises:
        UserError: There is none, or one that is wanted is missing.
    """
    found = sorted(int(p.stem.split('_')[1]) for p in Path(folder).glob('kfold_*_val.json'))
    missing = sorted(set(wanted or []) - set(found))
    if missing or not found:
        raise UserError(
            f'{folder}: has no {f"kfold_{missing[0]}" if missing else "kfold_0"}_val.json; '
            'write folds with data_prep/stratified_kfold.py'
        )
    return list(wanted or found)
