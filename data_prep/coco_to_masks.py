"""Paint the annotations of a COCO file into palette PNG masks."""

from functools import partial

from mmseg_custom import cli
from mmseg_custom.cli import natural_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/coco_to_masks.py data/toy_trash/val.json --out work_dirs/truth',
    )
    cli.add_ann(parser, 'COCO file')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the masks')
    cli.add_data_root(parser, 'folder that seg_map_path in ANN is relative to')
    cli.add_class_options(parser)
    parser.add_argument('--force', action='store_true', help='replace masks that exist')
    clean = parser.add_argument_group(
        'clean-up of noisy labels, off by default: one team of the contest gained by it, another '
        'lost, since the labels of the test set have the same noise'
    )
    clean.add_argument(
        '--mode-filter', action='store_true', help='most frequent label of 3x3 pixels'
    )
    clean.add_argument(
        '--min-pixels',
        type=natural_int,
        default=0,
        metavar='N',
        help='components below N pixels take the label around them, after the filter (0: none)',
    )
    return parser


def run(args) -> None:
    """Paint, clean up if asked for, and say what was done."""
    from mmseg_custom.coco import classes_of_files, drop_specks, mode_filter, read_coco, write_masks

    steps = [mode_filter] if args.mode_filter else []
    if args.min_pixels > 1:
        steps.append(partial(drop_specks, min_pixels=args.min_pixels))

    def clean_up(mask):
        for step in steps:
            mask = step(mask)
        return mask

    content = read_coco(args.ann)
    classes = classes_of_files({args.ann: content}, args.classes, args.class_map)
    clean = clean_up if steps else None
    options = dict(mode_filter=args.mode_filter, min_pixels=args.min_pixels)
    counts = write_masks(
        args.ann, args.out, classes, args.data_root, clean, args.force, content, options
    )
    print(f'{counts["written"]} masks written to {args.out}', end='')
    print(f', {counts["kept"]} kept (--force replaces them)' if counts['kept'] else '')
    if steps:
        share = counts['changed'] / max(1, counts['pixels'])
        print(f'clean-up changed {counts["changed"]} of {counts["pixels"]} pixels ({share:.3%})')


if __name__ == '__main__':
    cli.main(build_parser, run)
