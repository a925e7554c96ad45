"""Everything in a set that would hurt a training, found and fixed: plain functions."""

from .audit import audit_files
from .changes import planned_outputs, write_log
from .finding import KINDS, Finding
from .fix import fix_file
from .options import AuditOptions
from .report import report_findings, summarize_changes
from .split_file import SplitFile, open_split

__all__ = [
    'KINDS',
    'AuditOptions',
    'Finding',
    'SplitFile',
    'audit_files',
    'fix_file',
    'open_split',
    'planned_outputs',
    'report_findings',
    'summarize_changes',
    'write_log',
]
