"""PyTorch files that carry the checksum of themselves.

``torch.save`` writes a zip archive. Such an archive may end with a comment; here it is the SHA-256
of all that is before it, so that the checksum cannot be parted from the file, and ``torch.load``
reads the file as ever. PyTorch's own CRC-32 of each tensor is not enough, and ``torch.load`` does
not compare it: one flipped bit in the archive's table of contents (the attribute "directory") gives
a tensor of whatever was in the memory.
"""

import hashlib
import mmap
import os
import pickle
import zipfile
from pathlib import Path
from typing import BinaryIO

import torch

MARK = b'sha256:'
DIGITS = 64
ZIP_START = b'PK\x03\x04'


def is_archive(content: bytes | mmap.mmap) -> bool:
    """Return whether bytes begin and end as what ``torch.save`` writes: without a comment."""
    return content[:4] == ZIP_START and content[-2:] == b'\0\0'


def write_sealed(path: Path, archive: bytes) -> None:
    """Write what ``torch.save`` made, with its checksum.

    Args:
        path: The file.
        archive: See :func:`is_archive`. Its last two bytes are the length of its comment: none.
    """
    body = memoryview(archive)[:-2]
    head = (len(MARK) + DIGITS).to_bytes(2, 'little') + MARK
    digest = hashlib.sha256(body)
    digest.update(head)
    with open(path, 'wb') as file:
        file.write(body)
        file.write(head + digest.hexdigest().encode())


def is_whole(path: str | os.PathLike) -> bool:
    """Return whether a PyTorch file is as it was written.

    Args:
        path: A file. One without our checksum is judged by what PyTorch wrote: the CRC-32 of its
            parts. Those from before PyTorch 1.6 have none: they are complete if they can be loaded.
    """
    try:
        with (
            open(path, 'rb') as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            if content[-DIGITS - len(MARK) : -DIGITS] == MARK:
                return _seal_fits(content)
            if content[:2] == ZIP_START[:2]:
                return is_archive(content) and _parts_fit(file)
        return _loads(path)
    except Exception:
        # Where the tables of a file are damaged, its readers raise anything.
        return False


def _seal_fits(content: mmap.mmap) -> bool:
    with memoryview(content) as view, view[:-DIGITS] as body:
        return hashlib.sha256(body).hexdigest().encode() == content[-DIGITS:]


def _parts_fit(file: BinaryIO) -> bool:
    with zipfile.ZipFile(file) as archive:
        if archive.testzip() or any(part.external_attr for part in archive.infolist()):
            return False
    torch.serialization.get_unsafe_globals_in_checkpoint(file.name)
    return True


def _loads(path: str | os.PathLike) -> bool:
    try:
        torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        # Whether what it asks for is granted is not the question here.
        return 'Unsupported global' in str(error)
    return True
