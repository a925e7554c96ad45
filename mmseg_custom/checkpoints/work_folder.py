"""What a training wrote into its work folder, and moving it aside as one."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from .resume import POINTER

EARLIER = 'earlier_'
SESSION = re.compile(r'\d{8}_\d{6}')
STEP = re.compile(r'(?:best_.+_)?(?:iter|epoch)_(\d+)(?:\.pth|\.json)')
RESULTS = (POINTER, 'teacher.pth', 'val', 'non_finite', 'metrics.json', 'report.html')
UNCONFIRMED = '.unconfirmed'
MOVING = '.moving'


def has_training(work_dir: str | os.PathLike) -> bool:
    """Return whether a training left a checkpoint or a validation in a folder."""
    return bool(steps_in(work_dir))


def steps_in(work_dir: str | os.PathLike) -> list[int]:
    """Return the iteration (or epoch) of each checkpoint and validation in a folder."""
    folder = Path(work_dir)
    found = (*folder.glob('*.pth'), *folder.glob('val/*.json'))
    return [int(match[1]) for path in found if (match := STEP.fullmatch(path.name))]


def checkpoints_below(work_dir: str | os.PathLike) -> list[Path]:
    """Return the checkpoints in a folder and in the runs moved aside in it, sorted."""
    folder = Path(work_dir)
    found = [*folder.glob('*.pth'), *folder.glob(f'{EARLIER}*/*.pth')]
    return sorted(path for path in found if STEP.fullmatch(path.name))


def mark_unconfirmed(session: str | os.PathLike) -> None:
    """Mark a session that has not written a checkpoint yet, beside an earlier training's files.

    Until :func:`confirm` the folder belongs to the earlier training.

    Args:
        session: The session's folder of logs.
    """
    Path(session).mkdir(parents=True, exist_ok=True)
    Path(session, UNCONFIRMED).touch()


def confirm(session: str | os.PathLike) -> None:
    """Remove the mark of :func:`mark_unconfirmed`: the folder is this session's."""
    Path(session, UNCONFIRMED).unlink(missing_ok=True)


def is_confirmed(session: str | os.PathLike) -> bool:
    """Return whether a session's training owns, or continues, the run in its work folder."""
    return not Path(session, UNCONFIRMED).exists()


def has_unconfirmed(work_dir: str | os.PathLike) -> bool:
    """Return whether a session began a new training in a used folder and wrote no checkpoint."""
    return any(Path(work_dir).glob(f'*/{UNCONFIRMED}'))


def move_aside(
    work_dir: str | os.PathLike, session: str = '', after: int | None = None
) -> Path | None:
    """Move what an earlier training wrote into a folder ``earlier_N`` beside it.

    Files that no training writes stay. A move that was interrupted is undone by
    :func:`undo_interrupted_move`.

    Args:
        work_dir: The work folder.
        session: Name of the folder of logs of the training that runs now, which stays.
        after: Move only the checkpoints and validations behind this iteration, which a training
            that is resumed from there replaces; None: everything.

    Returns:
        Path | None: The new folder, or None when there was nothing to move.
    """
    folder = Path(work_dir)
    moved = list(_later(folder, after) if after is not None else _written(folder, session))
    if not moved:
        return None
    number = 1
    while (folder / f'{EARLIER}{number}').exists():
        number += 1
    target = folder / f'{EARLIER}{number}'
    target.mkdir()
    (target / MOVING).touch()
    for path in moved:
        new = target / path.relative_to(folder)
        new.parent.mkdir(exist_ok=True)
        path.rename(new)
    (target / MOVING).unlink()
    return target


def undo_interrupted_move(work_dir: str | os.PathLike) -> None:
    """Put back what :func:`move_aside` had moved when its process was killed."""
    folder = Path(work_dir)
    for mark in folder.glob(f'{EARLIER}*/{MOVING}'):
        source = mark.parent
        for path in sorted(source.rglob('*')):
            old = folder / path.relative_to(source)
            if path != mark and path.exists() and not old.exists():
                path.rename(old)
        mark.unlink()
        for left in sorted((path for path in source.rglob('*') if path.is_dir()), reverse=True):
            left.rmdir()
        source.rmdir()


def _written(folder: Path, session: str) -> Iterator[Path]:
    """Yield what trainings write; the pointer last, so that a resume finds it until then."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == POINTER):
        is_log = path.is_dir() and SESSION.fullmatch(path.name) and path.name != session
        if is_log or path.name in RESULTS or STEP.fullmatch(path.name) or is_record(path):
            yield path


def _later(folder: Path, after: int) -> Iterator[Path]:
    for path in sorted((*folder.glob('*.pth'), *folder.glob('val/*.json'))):
        match = STEP.fullmatch(path.name)
        if match and int(match[1]) > after:
            yield path


def is_record(path: Path) -> bool:
    """Return whether a file is a config as a training writes it down, not one to inherit from."""
    if path.suffix != '.py' or not path.is_file():
        return False
    text = path.read_text(encoding='utf-8', errors='replace')
    return '\nwork_dir = ' in text and '\nmodel = ' in text and '_base_' not in text
