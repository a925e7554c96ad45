"""The folder that the file names of an annotation file are relative to."""

import os
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path, PurePosixPath

from mmseg_custom.utils.remote import address_of, is_address, is_dir, is_file, local_path

# In "info"; relative to the folder of the file, so that both can be moved together.
KEY = 'data_root'

AnnPath = str | os.PathLike


def photo_root(path: AnnPath, content: dict, data_root: AnnPath | None = None) -> Path:
    """Return the folder of the photos and masks that an annotation file names.

    Args:
        path: The file, or what stands for several: see
            :func:`~mmseg_custom.coco.ann_files.annotation_files`.
        content: Its parsed JSON.
        data_root: What the user says, which comes first.

    Returns:
        Path: ``data_root``; else what the file says in its ``info``; else the folder of the file.
        An address stands for its folder of the cache (:mod:`mmseg_custom.utils.remote`).
    """
    if data_root is not None:
        return Path(local_path(data_root))
    info = content.get('info')
    stored = info.get(KEY) if isinstance(info, dict) else None
    if isinstance(stored, str) and is_address(stored):
        return Path(local_path(stored))
    folder = own_folder(path)
    return Path(os.path.normpath(folder / stored)) if isinstance(stored, str) else folder


def own_folder(path: AnnPath) -> Path:
    """Return the folder of an annotation file, of a glob pattern, or the folder itself."""
    path = local_path(path)
    if is_dir(path):
        return Path(path)
    parent = Path(path).parent
    if os.path.exists(path) or is_file(path):
        return parent
    while has_magic(str(parent)):
        parent = parent.parent
    return parent


def output_stem(path: AnnPath) -> str:
    """Return the name, without suffix, of a file that is made from annotations."""
    several = is_dir(path) or has_magic(str(path)) and not os.path.exists(path)
    return own_folder(path).resolve().name if several else Path(path).stem


def with_photo_root(content: dict, path: AnnPath, root: AnnPath) -> dict:
    """Return a COCO object that says where its photos are once it is written.

    Args:
        content: The COCO object.
        path: Where it will be written.
        root: Folder that its file names are relative to.
    """
    info = content.get('info')
    info = {k: v for k, v in info.items() if k != KEY} if isinstance(info, dict) else {}
    if address := address_of(root):
        return content | dict(info=info | {KEY: address})
    relative = os.path.relpath(Path(root).resolve(), Path(path).resolve().parent)
    if relative != '.':
        info[KEY] = Path(relative).as_posix()
    return content | dict(info=info)


def below(folder: str, names: Sequence[str]) -> list[str]:
    """Return file names relative to the parent of a folder, whether they begin with it or not.

    Args:
        folder: Relative to the common root, ``.`` for the root itself.
        names: Names in an annotation file there.
    """
    start = PurePosixPath(folder)
    if folder == '.' or all(PurePosixPath(name).parts[:1] == (start.name,) for name in names):
        start = start.parent
    return [(start / name).as_posix() for name in names]
