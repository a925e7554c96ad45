"""The formats by name. Each is one file in ``kinds``, named after it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import ClassVar

from mmseg_custom.utils import UserError

from .model import LabeledPhoto, PhotoSet
from .reading import Reading

# What broken content raises in a reader.
BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    StopIteration,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Target:
    """Where a set is written.

    Attributes:
        folder: Exists, and is empty unless ``file`` is all that is written.
        file: Name of the one file, for formats that have one.
        photos: ``copy``, ``link`` (hard links) or ``none``: what becomes of the photos.
    """

    folder: Path
    file: str = ''
    photos: str = 'copy'


class Format(ABC):
    """A way to write labeled photos down.

    Attributes:
        name: As the command line knows it.
        title: For people.
        file: Name of the annotation file where there is one, else empty.
        needs_photos: Whether its tools look for the photos beside the labels.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    file: ClassVar[str] = ''
    needs_photos: ClassVar[bool] = True

    @abstractmethod
    def recognizes(self, path: Path) -> bool:
        """Return whether a file or a folder looks as if it were in this format."""

    @abstractmethod
    def read(self, reading: Reading, path: Path, data_root: Path | None) -> None:
        """Read a set into ``reading``.

        Args:
            reading: Gets the photos.
            path: The file or folder.
            data_root: Where the photos are, if that was said.
        """

    @abstractmethod
    def write(self, photos: PhotoSet, target: Target) -> list[str]:
        """Write a set of what :meth:`hold` leaves; return notes for the user."""

    def hold(self, photo: LabeledPhoto) -> LabeledPhoto:
        """Return what is read back of a photo: the same one, unless the format loses something."""
        return photo


@cache
def formats() -> dict[str, Format]:
    """Return all formats by name."""
    from . import kinds

    found = {}
    for module in iter_modules(kinds.__path__):
        content = vars(import_module(f'{kinds.__name__}.{module.name}'))
        found[module.name] = next(
            one()
            for one in content.values()
            if isinstance(one, type) and getattr(one, 'name', '') == module.name
        )
    return found


def guess_format(path: Path) -> Format:
    """Return the one format that a file or a folder is in.

    Raises:
        UserError: It does not exist, or looks like none, or like several.
    """
    if not path.exists():
        raise UserError(f'{path}: no such file or folder')
    found = [one for one in formats().values() if one.recognizes(path)]
    if len(found) == 1:
        return found[0]
    names = _names(found or list(formats().values()))
    what = f'looks like {names}' if found else f'looks like none of {names}'
    raise UserError(f'{path}: {what}', kind='unclear-format')


def _names(found: Sequence[Format]) -> str:
    return ', '.join(one.name for one in found)


def read_set(path: Path, kind: Format, data_root: Path | None = None) -> PhotoSet:
    """Read a set.

    Raises:
        UserError: It is broken; names the place.
    """
    reading = Reading(path)
    try:
        kind.read(reading, path, data_root)
        return reading.done()
    except BROKEN as error:
        if isinstance(error, UserError):
            raise
        what = f'{type(error).__name__}: {error}'
        raise UserError(f'{reading.at}: is broken, or no {kind.title} ({what})') from None
