"""Finding the checkpoint that a training goes on from."""

import os
import re
from pathlib import Path

from mmseg_custom.utils.errors import UserError

from .sealed import is_whole

POINTER = 'last_checkpoint'
PERIODIC = re.compile(r'(?:iter|epoch)_(\d+)\.pth')
LEFT_OVER = re.compile(r'\.(?:iter|epoch|best)_.*\.pth')


def find_checkpoint(work_dir: str | os.PathLike) -> tuple[str | None, list[str]]:
    """Return the newest whole checkpoint of the training that last ran in a folder.

    A file ``last_checkpoint`` names the newest. Where that one is damaged or missing, those of
    earlier iterations follow. Where the name itself was torn, the file written last takes its
    place. (A higher iteration than the named one is what an earlier training left.)

    Args:
        work_dir: Where the training wrote.

    Returns:
        tuple[str | None, list[str]]: The checkpoint, or None if there was no training, and the
        newer ones that are damaged.

    Raises:
        UserError: All are damaged.
    """
    candidates = _newest_first(Path(work_dir))
    for place, path in enumerate(candidates):
        # DeepSpeed's checkpoints are folders, which it checks itself.
        if path.is_dir() or is_whole(path):
            return str(path), [str(damaged) for damaged in candidates[:place]]
    if not candidates:
        return None, []
    names = ', '.join(path.name for path in candidates)
    raise UserError(
        f'{work_dir}: all checkpoints here are damaged ({names}): copy them again',
        kind='bad-resume',
    )


def forget_earlier_training(work_dir: str | os.PathLike) -> None:
    """Take away what would let a training that begins now be resumed from an earlier one's end.

    Also takes away what a run that was killed while it wrote a checkpoint left half written.

    Args:
        work_dir: Where the training will write. Its whole checkpoints stay.
    """
    Path(work_dir, POINTER).unlink(missing_ok=True)
    remove_left_overs(work_dir)


def remove_left_overs(work_dir: str | os.PathLike) -> None:
    """Remove checkpoints that a killed run left half written under temporary names."""
    for path in Path(work_dir).glob('.*.pth'):
        if LEFT_OVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _newest_first(work_dir: Path) -> list[Path]:
    pointer = work_dir / POINTER
    if not pointer.is_file():
        return []
    named = pointer.read_text(encoding='utf-8', errors='replace').strip()
    folder = Path(named).parent if named else work_dir
    found = {p: int(m[1]) for p in folder.glob('*.pth') if (m := PERIODIC.fullmatch(p.name))}
    newest = Path(named)
    if not PERIODIC.fullmatch(newest.name):
        if not found:
            return []
        newest = max(found, key=lambda path: path.stat().st_mtime)
    step = _step_of(newest)
    earlier = [path for path in found if found[path] < step]
    return [newest, *sorted(earlier, key=found.__getitem__, reverse=True)]


def _step_of(path: Path) -> int:
    match = PERIODIC.fullmatch(path.name)
    return int(match[1]) if match else 0
