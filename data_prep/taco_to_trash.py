"""Convert the public TACO set to the contest's classes.

Which category becomes which class, and why, stands in data_prep/taco_classes.csv.
"""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, existing_file, positive_int

CLASSES_CSV = Path(__file__).resolve().with_name('taco_classes.csv')


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/taco_to_trash.py TACO/data/annotations.json '
        '--data-root TACO/data --out data/taco_trash',
    )
    cli.add_ann(parser, "TACO's annotations.json")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        '--data-root', type=existing_dir, metavar='DIR', help="folder that holds TACO's batch_1, …"
    )
    source.add_argument(
        '--annotations-only', action='store_true', help='write the JSON alone, for statistics'
    )
    parser.add_argument('--out', required=True, metavar='DIR', help='folder to write to')
    parser.add_argument('--size', type=positive_int, default=512, help='longer side, pixels (512)')
    cli.add_classes_option(parser)
    parser.add_argument(
        '--class-map',
        type=existing_file,
        metavar='FILE',
        default=str(CLASSES_CSV),
        help='category, class and why (taco_classes.csv beside this file)',
    )
    return parser


def run(args) -> None:
    """Convert and say what there is now."""
    from mmseg_custom.classes import built_in, class_list
    from mmseg_custom.coco import convert_taco
    from mmseg_custom.coco.class_map import with_class_map

    classes = class_list(args.classes) if args.classes else built_in()
    classes = with_class_map(classes, args.class_map)
    report = convert_taco(args.ann, args.data_root, args.out, classes, args.size)
    print(
        f'{report.images} photos with {report.annotations} annotations in {args.out}; '
        f'{report.vanished} annotations had no pixel left at this size and were dropped'
    )
    if report.skipped:
        print(f'{len(report.skipped)} photos were skipped: see {args.out}/skipped.txt')


if __name__ == '__main__':
    cli.main(build_parser, run)
