"""List the photos of a folder; every command that searches folders does it here."""

import os
from collections.abc import Iterable
from pathlib import Path

from mmseg_custom.utils.provenance import holds_results
from mmseg_custom.utils.remote import local_path, walk

from .photos import is_photo


def photos_below(
    folder: str | os.PathLike, outputs: Iterable[str | os.PathLike] = ()
) -> list[Path]:
    """Return the photos of a folder and of those in it, sorted by path.

    Folders in it that hold predictions (they say so in their ``provenance.json``) are left out and
    named: masks are no photos.

    Args:
        folder: The folder.
        outputs: Folders that results will be written to; left out as well.
    """
    top = Path(local_path(folder))
    excluded = {Path(output).resolve() for output in outputs}
    found = []
    for parent, folders, files in walk(top):
        for name in list(folders):
            inner = Path(parent, name)
            if inner.resolve() in excluded or holds_results(inner):
                folders.remove(name)
                print(f'{inner}: holds results, no photos: left out')
        found += [path for path in (Path(parent, name) for name in files) if is_photo(path)]
    return sorted(found)
