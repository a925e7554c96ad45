"""Telling what was dropped or corrected, and where fixed files go."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmseg_custom.coco.photo_root import output_stem
from mmseg_custom.utils import UserError, atomic_path, write_json

from .finding import ANNOTATION, IMAGE, Finding
from .split_file import SplitFile, file_names

LOG = 'dropped'
SECTIONS = dict(images=IMAGE, annotations=ANNOTATION)


@dataclass(frozen=True)
class Change:
    """One entry that was dropped or changed.

    Attributes:
        file: The annotation file.
        change: ``dropped image``, ``dropped annotation``, ``new id``, ``new area`` or ``new bbox``.
        image: ``file_name`` of the photo.
        annotation: Id of the annotation, where it is one.
        kind: The kind of finding behind it; None when it only went along with something else.
        why: One sentence.
    """

    file: str
    change: str
    image: str | None
    annotation: int | str | None
    kind: str | None
    why: str


def planned_outputs(paths: Sequence[str | os.PathLike], out: str | os.PathLike) -> list[Path]:
    """Say where fixed files go: to the same names in ``out``.

    Args:
        paths: The annotation files.
        out: Folder.

    Raises:
        UserError: An input, or another output, would be written over.
    """
    targets = [Path(out) / f'{output_stem(path)}.json' for path in paths]
    inputs = {Path(path).resolve() for path in paths}
    for target in targets:
        if target.resolve() in inputs:
            raise UserError(f'{target}: would be overwritten', kind='folder-in-use')
    if len({*targets, *_logs(out)}) < len(targets) + len(_logs(out)):
        names = ', '.join(target.name for target in targets)
        raise UserError(f'{out}: two files would have the same name ({names}); rename one')
    return targets


def _logs(out: str | os.PathLike) -> list[Path]:
    return [Path(out) / f'{LOG}{suffix}' for suffix in ('.json', '.txt')]


def write_log(out: str | os.PathLike, changes: Sequence[Change]) -> None:
    """Write ``dropped.json`` for programs and ``dropped.txt`` for people."""
    for_programs, for_people = _logs(out)
    write_json(for_programs, [asdict(change) for change in changes])
    lines = (f'{change.file}\t{change.change}\t{change.why}\n' for change in changes)
    with atomic_path(for_people) as temporary:
        temporary.write_text(''.join(lines), encoding='utf-8')


def list_changes(file: SplitFile, findings: Sequence[Finding], content: dict) -> Iterator[Change]:
    """Say what became of each entry of a file.

    Args:
        file: The file as it was.
        findings: Those that were acted on.
        content: The fixed COCO object, made of the same entries.

    Yields:
        Change: One an entry and correction; last what was dropped along with something else.
    """
    left = {id(entry) for section in SECTIONS for entry in content.get(section, [])}
    told = set()
    for finding in findings:
        if finding.field:
            if id(finding.entry) in left:
                yield _change(finding, f'new {finding.field}')
        elif id(finding.entry) not in told:
            told.add(id(finding.entry))
            yield _change(finding, f'dropped {finding.drops}')
    names = file_names(file.whole)
    for section, what in SECTIONS.items():
        for entry in file.whole.get(section, []):
            if id(entry) not in left and id(entry) not in told:
                yield _went_along(file, entry, what, names)


def _change(finding: Finding, change: str) -> Change:
    return Change(
        finding.file, change, finding.image, finding.annotation, finding.kind, finding.message
    )


def _went_along(file: SplitFile, entry: dict, what: str, names: dict) -> Change:
    if what == IMAGE:
        name, number = entry['file_name'], None
        why = f'{name}: another image has its id, so that whose the annotations are is unknown'
    else:
        name, number = names.get(entry['image_id']), entry['id']
        why = f'annotation {number} ({name}): its image was dropped'
    return Change(file.path, f'dropped {what}', name, number, None, why)
