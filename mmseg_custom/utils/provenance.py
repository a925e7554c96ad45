"""What the files in a folder are made from, compared by content and kept beside them.

A command that continues after a stop, or skips what is there already, first asks whether what is
there was made from the same things. Names and paths do not count: only content does.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .atomic import write_json
from .errors import UserError
from .parallel import in_threads

FILE = 'provenance.json'
VERSION = 1
SHOWN_DIGITS, SHOWN_CHARACTERS = 8, 60
CHUNK = 1 << 20


class OtherProvenance(UserError):
    """A folder holds results that were made from something else."""


@dataclass
class Provenance:
    """What the results in one folder are made from.

    Attributes:
        file: The JSON file, ``provenance.json`` in the folder of the results.
        command: What makes the results, such as ``'predict'``.
        made_from: Plain data by key: digests and options that decide over all results.
        are_results: The folder holds predictions, which no command takes for photos.
        sources: By the name of each result, ``[size, mtime_ns, sha256]`` of the files that it is
            made from; the first one, the photo, comes first.
    """

    file: Path
    command: str
    made_from: dict[str, Any]
    are_results: bool = True
    sources: dict[str, list[list]] = field(default_factory=dict)

    def open(self, unknown: Iterable[Path] = (), force: bool = False) -> list[str]:
        """Compare with what the folder says, and take over what it knows of the sources.

        Args:
            unknown: Results that are there and would be taken for this command's own; without a
                provenance nobody knows what they are made from.
            force: Start over instead of refusing.

        Returns:
            list[str]: Names of the results that are to be deleted, since they are of something
            else.

        Raises:
            OtherProvenance: The folder holds results of something else; says what differs.
        """
        found = read_provenance(self.file)
        if found is None:
            strange = next((path for path in unknown if path.exists()), None)
            if strange is not None and not force:
                raise OtherProvenance(
                    f'{strange}: is there already, and no {self.file.name} says what it is made '
                    'from'
                )
            return []
        mine = _plain(dict(command=self.command, **self.made_from))
        other = dict(command=found['command'], **found['made_from'])
        rows = differences(other, mine)
        if not rows:
            self.sources = found['sources']
            return []
        if not force:
            raise OtherProvenance(
                f'{self.file.parent}: holds results of something else:\n' + '\n'.join(rows)
            )
        return list(found['sources'])

    def update(
        self, sources: Mapping[str, Sequence[Path]], verify: bool = False, silent: bool = False
    ) -> list[str]:
        """Look at the files that results are made from.

        Args:
            sources: By the name of each result, the files that it is made from.
            verify: Read every file, also where size and time of its last change are as before.
            silent: Show no progress.

        Returns:
            list[str]: Names of the results that are to be made again: a source has changed, or
            is seen for the first time.
        """
        known = self.sources
        # Frames of a video share a file, which is read once.
        before = {
            path: self._known(name, i) for name in sources for i, path in enumerate(sources[name])
        }
        paths = list(before)

        def look(path: Path) -> list | None:
            return _fingerprint(path, before[path], verify)

        found = dict(zip(paths, in_threads(look, paths, 'comparing', silent), strict=True))
        self.sources = dict(known)
        changed = []
        for name, files in sources.items():
            self.sources[name] = [found[path] for path in files]
            if _digests(self.sources[name]) != _digests(known.get(name, [])):
                changed.append(name)
        return changed

    def save(self) -> None:
        """Write the file; outdated results have to be deleted before."""
        content = dict(
            version=VERSION,
            command=self.command,
            are_results=self.are_results,
            made_from=_plain(self.made_from),
            sources=self.sources,
        )
        write_json(self.file, content)

    def _known(self, name: str, place: int) -> list | None:
        files = self.sources.get(name, [])
        return files[place] if place < len(files) else None


def read_provenance(file: Path) -> dict | None:
    """Return what a ``provenance.json`` says; None where there is none.

    Raises:
        UserError: The file is damaged, or of another version.
    """
    try:
        content = json.loads(file.read_text(encoding='utf-8'))
        if content['version'] == VERSION and isinstance(content['sources'], dict):
            return dict(content, made_from=dict(content['made_from']))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        pass
    raise OtherProvenance(f'{file}: is damaged or of another version')


def holds_results(folder: Path) -> bool:
    """Return whether a folder says that it holds predictions, which are no photos."""
    try:
        content = json.loads((folder / FILE).read_text(encoding='utf-8'))
        return bool(content['are_results'])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def differences(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> list[str]:
    """Return one line for each key whose value differs, such as ``tta: was None, is 'flip'``."""
    keys = [*was, *(key for key in is_now if key not in was)]
    return [
        f'  {key}: was {_show(was.get(key))}, is {_show(is_now.get(key))}'
        for key in keys
        if _content(was.get(key)) != _content(is_now.get(key))
    ]


def digest_of_data(value: Any, name: str) -> dict[str, str]:
    """Return the digest of plain data; the name is shown to people and never compared."""
    text = json.dumps(value, sort_keys=True, default=repr)
    return dict(name=name, sha256=hashlib.sha256(text.encode()).hexdigest())


def digest_of_file(path: str | os.PathLike) -> dict[str, str]:
    """Return the digest of a file; its name is shown to people and never compared."""
    return dict(name=Path(path).name, sha256=_sha256(Path(path)))


def _sha256(path: Path) -> str:
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def _fingerprint(path: Path, known: list | None, verify: bool) -> list | None:
    """Return ``[size, mtime_ns, sha256]`` of a file; None if it cannot be read."""
    try:
        status = path.stat()
        stated = [status.st_size, status.st_mtime_ns]
        if known is not None and known[:2] == stated and not verify:
            return known
        return [*stated, _sha256(path)]
    except OSError:
        return None


def _digests(fingerprints: Sequence[list | None]) -> list[str | None]:
    return [one and one[2] for one in fingerprints]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _content(value: Any) -> Any:
    """Drop the names that stand beside digests."""
    if isinstance(value, dict):
        return {k: _content(v) for k, v in value.items() if not (k == 'name' and 'sha256' in value)}
    return [_content(one) for one in value] if isinstance(value, list) else value


def _show(value: Any) -> str:
    if isinstance(value, dict) and 'sha256' in value:
        return f'{value["name"]} ({value["sha256"][:SHOWN_DIGITS]})'
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return ', '.join(map(_show, value))
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f'{text[:SHOWN_CHARACTERS]}…'
