"""What the files in a folder are made from, compared by content and kept beside them.

A command that continues after a stop first asks whether what is there was made from the same
content. Names and paths do not count.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .atomic import write_json
from .digests import Source, differences, fingerprint
from .errors import UserError
from .parallel import in_threads

FILE = 'provenance.json'
VERSION = 1


class OtherProvenance(UserError):
    """A folder holds results that were made from something else."""

    def __init__(self, message: str):
        super().__init__(message, kind='folder-in-use')


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
    sources: dict[str, list[list | None]] = field(default_factory=dict)

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
        self, sources: Mapping[str, Sequence[Source]], verify: bool = False, silent: bool = False
    ) -> list[str]:
        """Look at the files that results are made from.

        Args:
            sources: By the name of each result, the files that it is made from, or digests.
            verify: Read every file, also where size and time of its last change are as before.
            silent: Show no progress.

        Returns:
            list[str]: Names of the results that are to be made again: a source has changed, or
            is seen for the first time.
        """
        known = self.sources
        before = {
            path: self._known(name, i) for name in sources for i, path in enumerate(sources[name])
        }
        paths = list(before)

        def look(path: Source) -> list | None:
            return fingerprint(path, before[path], verify)

        found = dict(zip(paths, in_threads(look, paths, 'comparing', silent), strict=True))
        self.sources = dict(known)
        changed = []
        for name, files in sources.items():
            self.sources[name] = [found[path] for path in files]
            if _digests(self.sources[name]) != _digests(known.get(name, [])):
                changed.append(name)
        return changed

    def require_unchanged(
        self, sources: Mapping[str, Sequence[Source]], verify: bool = False, force: bool = False
    ) -> bool:
        """Look at sources of results that cannot be made again one at a time.

        Args:
            sources: See :meth:`update`.
            verify: See :meth:`update`.
            force: Accept changes.

        Returns:
            bool: Whether all is as before; False also at the first time.

        Raises:
            OtherProvenance: A source has changed, came or went; names the first.
        """
        before = self.sources
        changed = [*self.update(sources, verify), *(name for name in before if name not in sources)]
        self.sources = {name: self.sources[name] for name in sources}
        if before and changed and not force:
            raise OtherProvenance(
                f'{self.file.parent}: was made from other files: {changed[0]} '
                f'({len(changed)} such files)'
            )
        return bool(before) and not changed

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


def announce(outdated: Sequence[str], foreign: Sequence[str] = ()) -> None:
    """Print how many results have changed sources, or were made from something else."""
    if foreign:
        print(f'starting over: {len(foreign)} results of something else are deleted')
    elif outdated:
        print(
            f'{len(outdated)} results are made again, since their sources have changed '
            f'(the first: {outdated[0]})'
        )


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


def _digests(fingerprints: Sequence[list | None]) -> list[str | None]:
    return [None if one is None else one[2] for one in fingerprints]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
