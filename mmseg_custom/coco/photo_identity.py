"""Recognizing a photo again: under another name, saved again, or at another size."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import cv2
import numpy as np

from mmseg_custom.utils import UserError
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.thread_pool import thread_pool

from .photos import read_photo

SIDE = 16
MEAN_DIFFERENCE, LARGEST_DIFFERENCE = 3.0, 32
BLOCK = 256
# Fewer than these are done before a progress bar can be read.
SHOWN_FROM = 200


def photo_identity(photo: np.ndarray) -> tuple[str, str]:
    """Return what distinguishes a photo from others.

    Args:
        photo: ``(H, W, 3)`` uint8.

    Returns:
        tuple[str, str]: The SHA-256 of size and pixels, and the look: a thumbnail of
        ``SIDE x SIDE`` block means as Base64, which compression and scaling hardly change.
    """
    digest = hashlib.sha256(repr(photo.shape).encode())
    digest.update(np.ascontiguousarray(photo).data)
    small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return digest.hexdigest(), base64.b64encode(small.tobytes()).decode()


def file_identity(path: str | os.PathLike) -> tuple[str, str]:
    """Return :func:`photo_identity` of a file, of its RGB pixels after EXIF rotation.

    Raises:
        UserError: The photo is missing or broken.
    """
    return photo_identity(read_photo(path)[..., ::-1])


def identities(
    photos: Iterable[Any], identity: Callable[[Any], tuple[str, str]], what: str
) -> list[tuple[str, str] | None]:
    """Return the identity of each photo; None for one that cannot be read.

    Args:
        photos: What ``identity`` takes.
        identity: Such as :func:`file_identity`.
        what: Shown beside the progress bar, which appears for many photos.
    """
    photos = list(photos)

    def one(photo: Any) -> tuple[str, str] | None:
        try:
            return identity(photo)
        except UserError:
            return None

    hidden = len(photos) < SHOWN_FROM
    with thread_pool() as pool:
        found = pool.map(one, photos)
        return list(tqdm(found, what, len(photos), leave=False, unit='photo', disable=hidden))


def find_same(
    photos: Sequence[tuple[str, str] | None], known: Sequence[tuple[str, str]]
) -> list[str | None]:
    """Return for each photo how it is known.

    Args:
        photos: Identities; None for a photo that cannot be read.
        known: Identities to look for.

    Returns:
        list[str | None]: ``'same'`` (the same pixels), ``'alike'`` (encoded again or scaled: the
        block means differ by at most ``MEAN_DIFFERENCE`` gray levels on average and
        ``LARGEST_DIFFERENCE`` in any block), or None.
    """
    digests = {digest for digest, _ in known}
    looks = _unpack([look for _, look in known])
    return [photo and _how(photo, digests, looks) for photo in photos]


def _how(photo: tuple[str, str], digests: set[str], looks: np.ndarray) -> str | None:
    if photo[0] in digests:
        return 'same'
    own = _unpack([photo[1]])
    for start in range(0, len(looks), BLOCK):
        difference = np.abs(looks[start : start + BLOCK] - own)
        near = difference.mean(axis=1) <= MEAN_DIFFERENCE
        if (near & (difference.max(axis=1) <= LARGEST_DIFFERENCE)).any():
            return 'alike'
    return None


def _unpack(looks: Sequence[str]) -> np.ndarray:
    """Return looks as ``(photos, SIDE * SIDE * 3)`` int16."""
    rows = [np.frombuffer(base64.b64decode(look), np.uint8) for look in looks]
    return np.array(rows, np.int16).reshape(len(rows), SIDE * SIDE * 3)
