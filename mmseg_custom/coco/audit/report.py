"""Telling a person what was found and fixed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from prettytable import PrettyTable

from .changes import Change
from .finding import KINDS, Finding


def report_findings(findings: Sequence[Finding], shown: int | None = None) -> Iterator[str]:
    """Say how many findings of each kind there are, and show the first of each.

    Args:
        findings: As :func:`~mmseg_custom.coco.audit.audit_files` sorts them.
        shown: At most so many a kind; None for all.

    Yields:
        str: Lines; the table is one.
    """
    kinds = [(kind, [*group]) for kind, group in groupby(findings, lambda finding: finding.kind)]
    if not kinds:
        yield 'nothing was found'
        return
    table = PrettyTable(['kind', 'severity', 'found'], align='l')
    table.align['found'] = 'r'
    table.add_rows([[kind, KINDS[kind].severity, len(group)] for kind, group in kinds])
    yield str(table)
    for kind, group in kinds:
        yield f'\n{KINDS[kind].severity} {kind}: {KINDS[kind].remedy}'
        yield from (f'  {finding.file}: {finding.message}' for finding in group[:shown])
        rest = len(group) - len(group[:shown])
        if rest:
            yield f'  and {rest} more (--all shows them)'


def summarize_changes(changes: Sequence[Change]) -> str:
    """Return how many of which changes were made."""
    counts = Counter(change.change for change in changes)
    return ', '.join(f'{count} x {what}' for what, count in sorted(counts.items())) or 'no change'
