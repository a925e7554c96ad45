"""Everything in a set that would hurt a training."""

from collections.abc import Iterator, Sequence

from mmseg_custom.utils.progress import tqdm

from .annotations import absent_classes, image_findings
from .finding import KINDS, Finding
from .leaks import look_leaks, name_leaks, same_names
from .options import AuditOptions
from .photos import photo_findings, read_facts, unused_files
from .split_file import SplitFile


def audit_files(files: Sequence[SplitFile], options: AuditOptions) -> list[Finding]:
    """Look at everything.

    Args:
        files: The splits of one set, training first.
        options: Limits, and whether photos are read.

    Returns:
        list[Finding]: Kind by kind as in :data:`~mmseg_custom.coco.audit.KINDS`; within a kind in
        the order of the files.

    Raises:
        UserError: A file has photos, and not one of them is there.
    """
    findings = [finding for file in files for finding in file.problems]
    files = [file for file in files if file.valid is not None]
    findings += _annotation_findings(files, options)
    findings += name_leaks(files)
    if options.photos:
        facts = read_facts(files)
        for file, of_file in zip(files, facts, strict=True):
            findings += photo_findings(file, of_file)
        findings += look_leaks(files, facts, options.hash_distance)
        findings += unused_files(files)
    else:
        findings += same_names(files)
    order = list(KINDS)
    return sorted(findings, key=lambda finding: order.index(finding.kind))


def _annotation_findings(files: Sequence[SplitFile], options: AuditOptions) -> Iterator[Finding]:
    total = sum(len(file.painted) for file in files)
    with tqdm(total=total, desc='checking', unit='photo', disable=not total) as bar:
        for file in files:
            for image, entries in file.painted:
                yield from image_findings(file, image, entries, options)
                bar.update()
            yield from absent_classes(file)
