"""Find errors in a data set, and write a set without them."""

import argparse
import os

from mmseg_custom import cli
from mmseg_custom.cli import natural_int

SHOWN = 3


def share(text: str) -> float:
    """Argument type: a fraction, above 0 and up to 1."""
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
    cli.add_class_options(parser)
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
    """Check, report, and fix if asked to."""
    from mmseg_custom.coco import classes_of_files, read_coco
    from mmseg_custom.coco.audit import (
        AuditOptions,
        audit_files,
        open_split,
        planned_outputs,
        report_findings,
    )
    from mmseg_custom.coco.convert.published import published_differences
    from mmseg_custom.utils import UserError, write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting

    if len({os.path.realpath(path) for path in args.ann}) < len(args.ann):
        raise UserError(f'{", ".join(args.ann)}: one file is named twice; name each once')
    targets = planned_outputs(args.ann, args.fix) if args.fix else []
    refuse_overwriting([*targets, *([args.json] if args.json else [])], args.ann)
    options = AuditOptions(
        args.max_overlap, args.max_share, args.min_pixels, args.hash_distance, not args.no_photos
    )
    contents = {path: read_coco(path) for path in args.ann}
    classes = classes_of_files(contents, args.classes, args.class_map)
    files = [
        open_split(path, classes, args.data_root, content) for path, content in contents.items()
    ]
    findings = audit_files(files, options)
    if args.json:
        write_json(args.json, [finding.as_json() for finding in findings])
    if line := published_differences([file.valid or dict(images=[]) for file in files]):
        print(line)
    print(*report_findings(findings, None if args.all else SHOWN), sep='\n')
    if args.fix:
        fix(args.fix, targets, files, findings, options)
    return int(any(finding.severity != 'note' for finding in findings))


def fix(out: str, targets, files, findings, options) -> None:
    """Write the fixed files and report what was done."""
    from mmseg_custom.coco.audit import fix_file, summarize_changes, write_log
    from mmseg_custom.coco.class_map import apply_class_map
    from mmseg_custom.coco.photo_root import with_photo_root
    from mmseg_custom.utils import write_json

    fixed = [fix_file(file, findings, options) for file in files]
    changes = [change for _, of_file in fixed for change in of_file]
    for file, target, (content, _) in zip(files, targets, fixed, strict=True):
        content = apply_class_map(content, file.classes)
        write_json(target, with_photo_root(content, target, file.root))
    write_log(out, changes)
    print(f'\nwrote {", ".join(map(str, targets))}: {summarize_changes(changes)}')
    print(f'what and why: {os.path.join(out, "dropped.txt")}')
    roots = sorted({str(file.root) for file in files})
    print(f'the photos stay where they are: tools/train.py CONFIG --data-root {" or ".join(roots)}')


if __name__ == '__main__':
    cli.main(build_parser, run)
