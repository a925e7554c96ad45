"""Write a set in a format: complete, or not at all."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from mmseg_custom.utils import UserError

from .model import PhotoSet
from .registry import Format, Target

# An option's words for what becomes of the photos.
PHOTOS = ('copy', 'link', 'none')


def target_of(kind: Format, out: Path) -> tuple[Path, str]:
    """Return the folder that is written, and the name of the one file; empty: a new folder's.

    Args:
        kind: The format.
        out: A folder; or the annotation file itself, in formats that have one.

    Raises:
        UserError: There is something already.
    """
    single = bool(kind.file) and out.suffix.lower() == Path(kind.file).suffix
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f'{out}: exists already; choose another name, or delete it')
    return (out.parent, out.name) if single else (out, '')


def write_set(photos: PhotoSet, kind: Format, out: Path, how: str | None = None) -> list[str]:
    """Write a set.

    Args:
        photos: The set.
        kind: The format; what it does not hold is lost.
        out: See :func:`target_of`.
        how: What becomes of the photos, one of :data:`PHOTOS`; None: they are copied where the
            format's tools look for them beside the labels.

    Returns:
        list[str]: Notes for the user.
    """
    how = how or ('copy' if kind.needs_photos else 'none')
    held = replace(photos, photos=tuple(map(kind.hold, photos.photos)))
    folder, file = target_of(kind, out)
    if file:
        return kind.write(held, Target(folder, file, how))
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, so that paths which lead out of it stay right.
    temporary = Path(tempfile.mkdtemp(prefix=f'.{out.name}.', dir=out.parent))
    try:
        notes = kind.write(held, Target(temporary, kind.file, how))
        temporary.chmod(0o755)
        if out.exists():
            out.rmdir()
        temporary.rename(out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return notes
