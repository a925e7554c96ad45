"""Repeat the images of rare classes in a COCO file."""

from mmseg_custom import cli
from mmseg_custom.cli import natural_int, positive_int

THRESHOLD, TIMES = 0.1, 3


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/oversample.py data/recycle_trash/train.json '
        '--out data/recycle_trash/train_repeated.json --repeat Battery Clothing --times 3',
    )
    cli.add_ann(parser, 'COCO file')
    cli.add_class_options(parser)
    parser.add_argument('--out', required=True, metavar='FILE', help='the COCO file to write')
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        '--threshold',
        type=float,
        help='repeat classes that fewer than this fraction of the images hold, by '
        f'sqrt(threshold / fraction) ({THRESHOLD})',
    )
    how.add_argument('--repeat', nargs='+', metavar='CLASS', help='repeat images of these classes')
    parser.add_argument(
        '--times', type=positive_int, help=f'with --repeat: how often each image occurs ({TIMES})'
    )
    parser.add_argument('--seed', type=natural_int, default=0, help='rounds the factors (0)')
    return parser


def run(args) -> None:
    """Repeat, write, and say what became of each class."""
    from mmseg_custom.coco import (
        classes_of_files,
        read_coco,
        repeat_images,
        require_annotated,
        require_valid,
        round_factors,
    )
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.class_map import apply_class_map
    from mmseg_custom.coco.listed_twice import without_repeats
    from mmseg_custom.coco.photo_root import photo_root, with_photo_root
    from mmseg_custom.coco.stats.class_counts import class_counts
    from mmseg_custom.utils import UserError, write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting

    if args.times and not args.repeat:
        raise UserError('--times needs --repeat: name the classes to repeat')
    refuse_overwriting([args.out], annotation_files(args.ann))
    content = read_coco(args.ann)
    classes = classes_of_files({args.ann: content}, args.classes, args.class_map)
    require_valid(args.ann, content, classes)
    require_annotated(args.ann, content)
    root = photo_root(args.ann, content)
    content, repeated = without_repeats(apply_class_map(content, classes))
    if repeated:
        print(f'{repeated} entries repeat a photo: left out, and each photo is repeated from 1 on')
    counts = class_counts(content, classes)
    repeats = round_factors(factors(args, counts, classes), args.seed)
    content = repeat_images(args.ann, content, repeats)
    write_json(args.out, with_photo_root(content, args.out, root))
    report(counts, repeats, classes)
    print(f'wrote {repeats.sum()} images ({len(repeats)} before) to {args.out}')


def factors(args, counts, classes):
    """Return each image's repeat factor, ``(images,)`` float64.

    Args:
        args: The command line.
        counts: ``(images, classes)`` annotations.
        classes: The :class:`~mmseg_custom.classes.ClassList`.
    """
    from mmseg_custom.coco import labels_of_names, listed_factors, threshold_factors

    classes_of = [row.nonzero()[0].tolist() for row in counts]
    if args.repeat:
        repeated = labels_of_names(args.repeat, classes)
        return listed_factors(classes_of, repeated, args.times or TIMES)
    return threshold_factors(classes_of, THRESHOLD if args.threshold is None else args.threshold)


def report(counts, repeats, classes) -> None:
    """Print what an epoch holds of each class before and after.

    Args:
        counts: ``(images, classes)`` annotations.
        repeats: ``(images,)`` how often each image occurs.
        classes: The :class:`~mmseg_custom.classes.ClassList`.
    """
    from prettytable import PrettyTable

    text = PrettyTable(['class', 'images before', 'after', 'share of annotations before', 'after '])
    text.align = 'r'
    text.align['class'] = 'l'
    before, after = counts.sum(axis=0), (counts * repeats[:, None]).sum(axis=0)
    for label in classes.foreground:
        held = counts[:, label] > 0
        shares = [f'{100 * row[label] / max(row.sum(), 1):.2f} %' for row in (before, after)]
        text.add_row([classes.names[label], held.sum(), repeats[held].sum(), *shares])
    print(text)


if __name__ == '__main__':
    cli.main(build_parser, run)
