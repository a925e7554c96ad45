"""Options and lines of commands that continue results, and skip photos that cannot be read."""

import argparse
from collections.abc import Sequence
from typing import Any

# Of photos that could not be read.
REPORTED = 5


def add_continue_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--force``, ``--verify`` and ``--dry-run``: see :func:`continue_options`."""
    parser.add_argument(
        '--force', action='store_true', help='start over where results of something else exist'
    )
    parser.add_argument(
        '--verify',
        action='store_true',
        help='read every input again, also if its size and modification time are unchanged',
    )
    parser.add_argument('--dry-run', action='store_true', help='only show what would be made')


def continue_options(args: argparse.Namespace) -> dict[str, bool]:
    """Return the options of :func:`add_continue_options` by name."""
    return dict(force=args.force, verify=args.verify, dry_run=args.dry_run)


def given(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return those of some arguments that were given.

    Results that were made before an option existed are the same without it.
    """
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def report_skipped(skipped: Sequence[tuple[str, str]], total: int) -> None:
    """Print which photos could not be read, the first few with the reason.

    Args:
        skipped: Name and reason of each.
        total: How many photos there are.
    """
    for _, reason in skipped[:REPORTED]:
        print(f'skipped: {reason}')
    if skipped:
        print(f'{len(skipped)} of {total} photos could not be read')
