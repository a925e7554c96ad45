"""The contest's submission: a CSV of 256x256 label masks, and back."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from mmseg_custom.classes import ClassList, built_in, from_categories, name_key
from mmseg_custom.utils import UserError, atomic_path

CLASSES = built_in().names
HEADER = ('image_id', 'PredictionString')
SIDE = 256
# Looked up for each pixel, which takes a seventh of the time of str().
NUMBERS = np.array([str(label) for label in range(256)], object)
SPACE, ZERO = ord(' '), ord('0')


def shrink_mask(mask: np.ndarray) -> np.ndarray:
    """Return an ``(H, W)`` uint8 mask at the contest's size, ``(256, 256)``, by nearest pixels."""
    return cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)


def write_submission(path: str | os.PathLike, rows: Iterable[tuple[str, np.ndarray]]) -> int:
    """Write a CSV atomically, and return its number of photos.

    Args:
        path: The file.
        rows: ``(image_id, mask)``: the photo's ``file_name`` and its ``(H, W)`` uint8 labels.
    """
    count = 0
    with atomic_path(path) as temporary, open(temporary, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(HEADER)
        for image_id, mask in rows:
            writer.writerow((image_id, ' '.join(NUMBERS[shrink_mask(mask).ravel()])))
            count += 1
    return count


def read_submission(path: str | os.PathLike) -> Iterator[tuple[str, np.ndarray]]:
    """Read a CSV row by row.

    Args:
        path: The file.

    Yields:
        tuple[str, np.ndarray]: ``image_id`` and ``(256, 256)`` uint8 labels.

    Raises:
        UserError: Names the line and what is wrong in it.
    """
    # A mask of 256x256 is longer than what the csv module lets through.
    csv.field_size_limit(2**30)
    seen = set()
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            lines = csv.reader(file)
            header = tuple(next(lines, ()))
            if header != HEADER:
                raise UserError(
                    f'{path}: begins with {header}; the first line is {",".join(HEADER)}'
                )
            for number, line in enumerate(lines, 2):
                yield _read_row(f'{path}, line {number}', line, seen)
    except FileNotFoundError:
        raise UserError(f'{path}: no such submission') from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f'{path}: is no CSV ({error}); write it again') from None


def _read_row(where: str, line: list[str], seen: set[str]) -> tuple[str, np.ndarray]:
    if len(line) != len(HEADER):
        raise UserError(f'{where}: has {len(line)} fields, not {len(HEADER)}: write it again')
    image_id, text = line
    if image_id in seen:
        raise UserError(f'{where}: {image_id} occurs twice: drop one')
    seen.add(image_id)
    plain = _plain_labels(text)
    if plain is not None:
        return image_id, plain
    words = text.split()
    if len(words) != SIDE * SIDE:
        raise UserError(f'{where}: {image_id} has {len(words)} numbers, not {SIDE * SIDE}')
    # A label has one or two digits: anything else is reported before it is parsed.
    strange = next((w for w in words if not (w.isascii() and w.isdigit() and len(w) <= 2)), None)
    if strange is None:
        labels = np.array(words, np.uint8)
        if labels.max() < len(CLASSES):
            return image_id, labels.reshape(SIDE, SIDE)
        strange = labels.max()
    raise UserError(f'{where}: {image_id} has {strange!s}; labels are 0 to {len(CLASSES) - 1}')


def _plain_labels(text: str) -> np.ndarray | None:
    """Return ``(256, 256)`` uint8 labels of numbers between spaces, in a fifth of the time.

    None for any other text, valid or not.
    """
    if not text.isascii():
        return None
    # The spaces behind the last number spare each look at what follows a limit of its own.
    content = np.frombuffer(f' {text}  '.encode(), np.uint8)
    digits = content - ZERO  # Below the digits, it is a large number.
    is_digit = digits < 10
    starts = np.flatnonzero(is_digit[1:] & ~is_digit[:-1]) + 1
    if len(starts) != SIDE * SIDE or not (is_digit | (content == SPACE)).all():
        return None
    has_second = is_digit[starts + 1]
    if (has_second & is_digit[starts + 2]).any():
        return None
    labels = np.where(has_second, 10 * digits[starts] + digits[starts + 1], digits[starts])
    return labels.reshape(SIDE, SIDE) if labels.max() < len(CLASSES) else None


def require_complete(path: str | os.PathLike, found: Iterable[str], wanted: Iterable[str]) -> None:
    """Raise when a submission has not exactly the photos that are asked for.

    Args:
        path: The submission, named in the message.
        found: Its image ids.
        wanted: The photos' file names.

    Raises:
        UserError: Names the first photo that is missing or too many.
    """
    found, wanted = set(found), set(wanted)
    for names, what in ((wanted - found, 'lacks'), (found - wanted, 'has the unknown')):
        if names:
            raise UserError(f'{path}: {what} {min(names)} ({len(names)} such photos)')


def require_contest(path: str | os.PathLike, categories: Sequence[Mapping]) -> None:
    """Raise when an annotation file has categories that the contest does not have.

    Args:
        path: The file, named in the message.
        categories: The file's; none at all will do, since a submission needs only its photos.

    Raises:
        UserError: Names both class lists.
    """
    names = set(map(name_key, built_in().names))
    if any(name_key(str(category['name'])) not in names for category in categories):
        require_contest_list(path, from_categories(categories, str(path)))


def require_contest_list(path: str | os.PathLike, classes: ClassList | None) -> None:
    """Raise when a model or a folder of masks has other classes than the contest.

    Args:
        path: The model or folder, named in the message.
        classes: Its classes; None: they are unknown, and taken for the contest's.

    Raises:
        UserError: Names both class lists.
    """
    if classes and not classes.is_same_as(built_in()):
        raise UserError(f'{path}: has {classes}; a submission of the contest has {built_in()}')


def mask_name(folder: str | os.PathLike, file_name: str) -> Path:
    """Return where the mask of a photo is in a folder of predictions."""
    return Path(folder, file_name).with_suffix('.png')
