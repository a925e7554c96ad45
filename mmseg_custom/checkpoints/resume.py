"""Finding the checkpoint that a training continues from."""

import os
import re
from pathlib import Path

from mmseg_custom.utils.errors import UserError

from .sealed import is_whole

POINTER = 'last_checkpoint'
PERIODIC = re.compile(r'(?:iter|epoch)_(\d+)\.pth')
LEFT_OVER = re.compile(r'\.(?:iter|epoch|best)_.*\.pth')


def find_checkpoint(work_dir: str | os.PathLike) -> tuple[str | None, list[str]]:
    """Return the newest complete checkpoint of the training that last ran in a folder.

    A file ``last_checkpoint`` names the newest. Of what it says only the file's name counts, so
    that a copied or moved folder stands for itself. Where the named checkpoint is damaged or
    missing, those of earlier iterations follow. Where the name itself was torn, the file written
    last takes its place.

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
        # A strategy's checkpoints can be folders, which it checks itself.
        if path.is_dir() or is_whole(path):
            return str(path), [str(damaged) for damaged in candidates[:place]]
    if not candidates:
        return None, []
    names = ', '.join(path.name for path in candidates)
    raise UserError(
        f'{work_dir}: all checkpoints here are damaged ({names}): copy them again',
        kind='bad-resume',
    )


def write_pointer(work_dir: str | os.PathLike, checkpoint: str | os.PathLike) -> None:
    """Note which checkpoint of a folder is the newest, by its name alone.

    Args:
        work_dir: The folder.
        checkpoint: A checkpoint in it.
    """
    temporary = Path(work_dir, f'.{POINTER}')
    temporary.write_text(Path(checkpoint).name, encoding='utf-8')
    temporary.replace(Path(work_dir, POINTER))


def remove_left_overs(work_dir: str | os.PathLike) -> None:
    """Remove checkpoints that a killed run left half written under temporary names."""
    for path in Path(work_dir).glob('.*.pth'):
        if LEFT_OVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _newest_first(work_dir: Path) -> list[Path]:
    pointer = work_dir / POINTER
    if not pointer.is_file():
        return []
    # Earlier versions wrote full paths, also those of another system.
    named = re.split(r'[/\\]', pointer.read_text(encoding='utf-8', errors='replace').strip())[-1]
    found = {p: int(m[1]) for p in work_dir.glob('*.pth') if (m := PERIODIC.fullmatch(p.name))}
    newest = work_dir / named
    if not PERIODIC.fullmatch(newest.name):
        if not found:
            return []
        newest = max(found, key=lambda path: path.stat().st_mtime)
    step = step_of(newest)
    earlier = [path for path in found if found[path] < step]
    return [newest, *sorted(earlier, key=found.__getitem__, reverse=True)]


def step_of(path: Path) -> int:
    """Return the iteration (or epoch) in the name of a periodic checkpoint, 0 for other names."""
    match = PERIODIC.fullmatch(path.name)
    return int(match[1]) if match else 0
