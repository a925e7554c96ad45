"""Find errors in a data set, and write a set without them."""

import argparse
import os

from mmseg_custom import cli
from mmseg_custom.cli import natural_int

SHOWN = 3


def share(text: str) -> float:
    """Argument type: a part of a whole, above 0 and up to 1."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number above 0 and up to 1')
    return number


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Exit code 1: errors or warnings were found; notes do not count.',
        example='python data_prep/check.py data/recycle_trash/train.json '
        'data/recycle_trash/val.json --fix data/recycle_trash/clean',
    )
    cli.add_ann(
        parser, 'COCO files, the splits of one set: training first, validation last', several=True
    )
    cli.add_data_root(parser)
    parser.add_argument(
        '--no-photos', action='store_true', help='read the JSON alone, no photo and no mask file'
    )
    parser.add_argument(
        '--fix',
        metavar='OUT_DIR',
        help='write the files there, without what is wrong; what is in two files is dropped from '
        'the one named first. OUT_DIR/dropped.txt and .json say what and why',
    )
    parser.add_argument(
        '--max-overlap',
        type=share,
        default=0.9,
        help='annotations of different classes contradict each other above this IoU (0.9; 1: off)',
    )
    parser.add_argument(
        '--max-share',
        type=share,
        default=0.95,
        help='an annotation that covers more of its photo is suspicious (0.95; 1: off)',
    )
    parser.add_argument(
        '--min-pixels', type=natural_int, default=10, help='a smaller annotation is a speck (10)'
    )
    parser.add_argument(
        '--hash-distance',
        type=natural_int,
        default=2,
        help='bits of 64 in which the hashes of photos that look the same may differ (2)',
    )
    parser.add_argument('--all', action='store_true', help=f'show every finding ({SHOWN} a kind)')
    parser.add_argument('--json', metavar='FILE', help='write the findings there, for programs')
    return parser


def run(args) -> int:
    """Check, report, and mend when asked to."""
    from mmseg_custom.classes import built_in
    from mmseg_custom.coco.audit import (
        AuditOptions,
        audit_files,
        open_split,
        planned_outputs,
        report_findings,
    )
    from mmseg_custom.utils import UserError, write_json

    if len({os.path.realpath(path) for path in args.ann}) < len(args.ann):
        raise UserError(f'{", ".join(args.ann)}: one file is named twice; name each once')
    targets = planned_outputs(args.ann, args.fix) if args.fix else []
    options = AuditOptions(
        args.max_overlap, args.max_share, args.min_pixels, args.hash_distance, not args.no_photos
    )
    files = [open_split(path, built_in(), args.data_root) for path in args.ann]
    findings = audit_files(files, options)
    if args.json:
        write_json(args.json, [finding.as_json() for finding in findings])
    print(*report_findings(findings, None if args.all else SHOWN), sep='\n')
    if args.fix:
        mend(args.fix, targets, files, findings, options)
    return int(any(finding.severity != 'note' for finding in findings))


def mend(out: str, targets, files, findings, options) -> None:
    """Write the mended files and say what was done."""
    from mmseg_custom.coco.audit import mend_file, summarise_changes, write_log
    from mmseg_custom.utils import write_json

    mended = [mend_file(file, findings, options) for file in files]
    changes = [change for _, of_file in mended for change in of_file]
    for target, (content, _) in zip(targets, mended, strict=True):
        write_json(target, content)
    write_log(out, changes)
    print(f'\nwrote {", ".join(map(str, targets))}: {summarise_changes(changes)}')
    print(f'what and why: {os.path.join(out, "dropped.txt")}')
    roots = sorted({str(file.root) for file in files})
    print(f'file names are as before: tools/train.py CONFIG --data-root {" or ".join(roots)}')


if __name__ == '__main__':
    cli.main(build_parser, run)
