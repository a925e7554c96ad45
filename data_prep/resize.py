"""Make a smaller copy of a set: photos and annotations."""

import os

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

SIZE = 512


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Labels are those of the nearest original pixels, exactly. A stopped'
        ' run continues. Exit code 1: some photos could not be read.',
        example='python data_prep/resize.py data/recycle_trash_full --size 512 '
        '--out data/recycle_trash_512',
    )
    cli.add_ann(parser, 'COCO file; or a folder of batches with one each, or a pattern in quotes')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder to write to')
    cli.add_data_root(parser)
    cli.add_class_options(parser)
    parser.add_argument(
        '--size', type=positive_int, default=SIZE, help=f'longer side, in pixels ({SIZE})'
    )
    parser.add_argument(
        '--workers', type=positive_int, default=os.cpu_count(), help='processes (one a core)'
    )
    parser.add_argument(
        '--force', action='store_true', help='start over where a copy of something else is'
    )
    return parser


def run(args) -> int:
    """Resize, and report what was written."""
    from mmseg_custom.coco import classes_of_files, read_coco
    from mmseg_custom.coco.class_map import apply_class_map
    from mmseg_custom.coco.convert.resize import resize_set

    content = read_coco(args.ann)
    classes = classes_of_files({args.ann: content}, args.classes, args.class_map)
    content = apply_class_map(content, classes)
    done = resize_set(
        args.ann, content, classes, args.out, args.size, args.data_root, args.workers, args.force
    )
    print(f'{done.images} photos with {done.annotations} annotations: {done.path}')
    if done.kept:
        print(f'{done.kept} photos of this size existed already and were kept')
    if done.vanished:
        print(f'{done.vanished} annotations had no pixel left and were dropped')
    cli.report_skipped(done.skipped, done.images + len(done.skipped))
    return int(bool(done.skipped))


if __name__ == '__main__':
    cli.main(build_parser, run)
