"""Read back what a training left in its work folder, without a model."""

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmseg_custom.checkpoints.resume import find_checkpoint
from mmseg_custom.checkpoints.work_folder import is_confirmed, is_record
from mmseg_custom.experiment.config import load_config
from mmseg_custom.hooks import SaveMetricsHook
from mmseg_custom.utils import UserError

Curve = dict[int, float]
"""Values by iteration, ascending."""


@dataclass(frozen=True)
class RunFolder:
    """A training.

    Attributes:
        folder: The work folder.
        config: The experiment of its last training, as MMEngine wrote it down.
        config_name: What its file was called.
        train: Curves of the training by name, such as ``loss`` and ``lr``.
        val: Curves of the validations by name, such as ``mIoU``, in percent.
        validation: What :class:`~mmseg_custom.hooks.SaveMetricsHook` wrote last, or None.
    """

    folder: Path
    config: Config
    config_name: str
    train: dict[str, Curve]
    val: dict[str, Curve]
    validation: dict | None

    @property
    def iterations(self) -> int:
        """How far the training came, as far as it is in the log.

        The loss is logged every few iterations only; a validation may come after its last one.
        """
        return max((max(curve) for curve in (*self.train.values(), *self.val.values())), default=0)

    def median(self, name: str) -> float | None:
        """Return the median of a curve of the training, None if there is no such curve."""
        curve = self.train.get(name)
        return float(np.median(list(curve.values()))) if curve else None


def read_run(work_dir: str | os.PathLike) -> RunFolder:
    """Read a work folder. A training that still runs, or was cut off, is read as far as it came.

    A training that was started in a used folder and has not written a checkpoint yet is left out:
    until then the folder is the earlier training's.

    Args:
        work_dir: Where ``tools/train.py`` wrote.

    Raises:
        UserError: There is no config in it, or one that cannot be read.
    """
    folder = Path(work_dir)
    logs = [
        log
        for log in sorted(folder.glob('*/vis_data/scalars.json'))
        if is_confirmed(log.parents[1])
    ]
    train, val = {}, {}
    for log in logs:
        lines = list(_lines(log))
        _continue_curves(train, [line for line in lines if 'loss' in line])
        _continue_curves(val, [line for line in lines if 'loss' not in line])
    config_file, name = _find_config(folder, logs)
    return RunFolder(
        folder, load_config(str(config_file)), name, train, val, _read_validation(folder)
    )


def best_checkpoint(work_dir: str | os.PathLike) -> tuple[str, float | None]:
    """Return the checkpoint with the highest validated mIoU, and this mIoU in percent.

    Args:
        work_dir: Where the training wrote.

    Returns:
        tuple[str, float | None]: Where nothing was validated, the newest checkpoint and None.

    Raises:
        UserError: There is no checkpoint, or none of the best validation.
    """
    folder = Path(work_dir)
    files = sorted((folder / SaveMetricsHook.folder).glob('iter_*.json'))
    measured = [json.loads(path.read_text(encoding='utf-8')) for path in files]
    found = {one['iter']: (one['metrics'] or {}).get('mIoU') for one in measured}
    scores: dict[int, float] = {step: score for step, score in found.items() if score is not None}
    if not scores:
        newest, _ = find_checkpoint(folder)
        if newest is None:
            raise UserError(f'{folder}: there is no checkpoint; give the folder of a training')
        return newest, None
    best = max(scores, key=scores.__getitem__)
    names = [f'best_mIoU_iter_{best}.pth', f'iter_{best}.pth']
    path = next((folder / name for name in names if (folder / name).exists()), None)
    if path is None:
        raise UserError(
            f'{folder}: iteration {best} was validated best, and neither {names[0]} nor {names[1]} '
            'is there; train again in another folder'
        )
    return str(path), scores[best]


def _lines(log: Path) -> Iterator[dict]:
    for line in log.read_text(encoding='utf-8', errors='replace').splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            # The last line of a training that was killed.
            continue


def _continue_curves(curves: dict[str, Curve], lines: list[dict]) -> None:
    """Add a session's values; where it went over iterations again, its own take their place."""
    found = {}
    for line in lines:
        for name, value in line.items():
            if name not in ('iter', 'step', 'epoch') and _is_number(value):
                found.setdefault(name, {})[line['step']] = value
    for name, curve in found.items():
        before = curves.get(name, {})
        kept = {step: value for step, value in before.items() if step < min(curve)}
        curves[name] = kept | dict(sorted(curve.items()))


def _is_number(value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _find_config(folder: Path, logs: list[Path]) -> tuple[Path, str]:
    """Return the file of the last training's config, and the name of the one it was made from."""
    records = (path for path in folder.glob('*.py') if is_record(path))
    named = sorted(records, key=lambda path: path.stat().st_mtime)
    # Beside the log lies what a session trained, also before its first checkpoint.
    beside = [path for log in logs if (path := log.with_name('config.py')).is_file()]
    found = [*named, *beside]
    if not found:
        raise UserError(
            f'{folder}: has no config, so that nothing was trained here; give the work folder of '
            'a tools/train.py'
        )
    return found[-1], (named or found)[-1].name


def _read_validation(folder: Path) -> dict | None:
    files = sorted((folder / SaveMetricsHook.folder).glob('iter_*.json'))
    return json.loads(files[-1].read_text(encoding='utf-8')) if files else None
