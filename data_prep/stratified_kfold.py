"""Split a COCO file into folds with the same mix of classes."""

import os
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import natural_int, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/stratified_kfold.py data/recycle_trash/train_all.json '
        '--folds 5 --out data/recycle_trash/folds',
    )
    cli.add_ann(parser, 'COCO file to split')
    cli.add_class_options(parser)
    parser.add_argument('--folds', type=positive_int, default=5, help='number of folds (5)')
    parser.add_argument('--seed', type=natural_int, default=0, help='other seed, other folds (0)')
    parser.add_argument(
        '--out',
        required=True,
        metavar='DIR',
        help='folder for kfold_0_train.json, kfold_0_val.json, … and folds.png',
    )
    parser.add_argument(
        '--plain', action='store_true', help='split by plain KFold instead, to compare with'
    )
    parser.add_argument(
        '--group-duplicates',
        action='store_true',
        help='keep photos that look the same in one fold (reads all photos)',
    )
    parser.add_argument(
        '--hash-distance',
        type=natural_int,
        default=2,
        help='bits of 64 in which the hashes of such photos may differ (2)',
    )
    cli.add_data_root(parser)
    return parser


def run(args) -> int:
    """Split, write, and say how alike the folds are."""
    from mmseg_custom.coco import (
        classes_of_files,
        plain_folds,
        read_coco,
        require_annotated,
        require_valid,
        split_content,
        stratified_folds,
    )
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.class_map import apply_class_map
    from mmseg_custom.coco.listed_twice import photo_groups, without_repeats
    from mmseg_custom.coco.photo_root import photo_root, with_photo_root
    from mmseg_custom.coco.read import file_order
    from mmseg_custom.coco.stats.class_counts import class_counts
    from mmseg_custom.utils import UserError, write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting

    folds = [Path(args.out, name) for fold in range(args.folds) for name in fold_names(fold)]
    refuse_overwriting(folds, annotation_files(args.ann))
    content = read_coco(args.ann)
    classes = classes_of_files({args.ann: content}, args.classes, args.class_map)
    require_valid(args.ann, content, classes)
    require_annotated(args.ann, content)
    if args.plain and args.group_duplicates:
        raise UserError('--plain looks at no photo: leave out --group-duplicates')
    root = photo_root(args.ann, content, args.data_root)
    content = apply_class_map(content, classes)
    once, repeated = without_repeats(content)
    if repeated:
        print(f'{repeated} entries repeat a photo: they follow it into training sets only')
    groups, skipped = find_groups(args, once, root) if args.group_duplicates else (None, [])
    counts = class_counts(once, classes)
    plain = plain_folds(len(counts), args.folds, args.seed)
    try:
        # Also for --plain, since it checks that there are enough images.
        order = file_order(once, classes)
        fold_of = stratified_folds(counts[:, order], args.folds, args.seed, groups)
    except UserError as error:
        raise UserError(f'{args.ann}: {error}') from None
    fold_of = plain if args.plain else fold_of
    of_image = fold_of[photo_groups(content['images'])]
    for fold, parts in enumerate(split_content(content, of_image, args.folds)):
        for name, part in zip(fold_names(fold), parts, strict=True):
            path = Path(args.out, name)
            write_json(path, with_photo_root(part, path, root))
    report(args, once, counts, fold_of, plain, classes)
    cli.report_skipped(skipped, len(once['images']))
    return int(bool(skipped))


def fold_names(fold: int) -> tuple[str, str]:
    """Return the names of a fold's training and validation file."""
    return f'kfold_{fold}_train.json', f'kfold_{fold}_val.json'


def find_groups(args, content: dict, root):
    """Group near-duplicate photos and say how many there are.

    Returns:
        tuple: ``(images,)`` int64 group numbers; name and reason of the photos that cannot be read,
        each of which is a group of its own.
    """
    import numpy as np

    from mmseg_custom.coco import duplicate_groups
    from mmseg_custom.coco.readable import unreadable_photos
    from mmseg_custom.utils import UserError

    names = [image['file_name'] for image in content['images']]
    paths = [os.path.join(root, name) for name in names]
    problems = unreadable_photos(paths)
    if missing := [problems[place] for place in problems if not os.path.isfile(paths[place])]:
        raise UserError(missing[0], kind='missing-photos')
    readable = [place for place in range(len(paths)) if place not in problems]
    groups = np.arange(len(paths), 2 * len(paths))
    groups[readable] = duplicate_groups([paths[place] for place in readable], args.hash_distance)
    groups = np.unique(groups, return_inverse=True)[1]
    print(f'{len(paths)} photos in {groups.max() + 1} groups of near-duplicates')
    return groups, [(names[place], why) for place, why in problems.items()]


def report(args, content: dict, annotations, fold_of, plain, classes) -> None:
    """Print the table and the deviations, and draw the chart.

    Args:
        args: The command line.
        content: The COCO object that was split.
        annotations: ``(images, classes)`` its annotations.
        fold_of: ``(images,)`` int64 fold of each image.
        plain: The same by plain KFold, to compare with.
        classes: The :class:`~mmseg_custom.classes.ClassList`.
    """
    from mmseg_custom.coco import fold_shares, max_deviation, pixel_counts
    from mmseg_custom.visualization.fold_shares import draw_fold_shares

    panels, lines = [], []
    # The background has no annotations, and would make all shares of pixels look small.
    shown = list(classes.foreground)
    for what, counts in (
        ('annotations', annotations[:, shown]),
        ('painted pixels', pixel_counts(content, classes)[:, shown]),
    ):
        whole = counts.sum(axis=0) / max(counts.sum(), 1)
        found = []
        for name, folds in (('these folds', fold_of), ('plain KFold', plain)):
            found.append(100 * max_deviation(counts, folds, args.folds))
            title = f'{what}, {name}: off by up to {found[-1]:.2f} points'
            panels.append((title, fold_shares(counts, folds, args.folds), whole))
        lines.append(
            f'largest deviation of a class fraction, {what}: {found[0]:.2f} points '
            f'(plain KFold with the same seed: {found[1]:.2f})'
        )
    picture = os.path.join(args.out, 'folds.png')
    draw_fold_shares(picture, panels, [classes.names[label] for label in shown])
    print(table(annotations, fold_of, args.folds, classes), *lines, sep='\n')
    print(f'wrote {args.folds} folds and {picture}')


def table(counts, fold_of, folds: int, classes) -> str:
    """Return the fractions of the annotations in the full set and in each fold as text.

    Args:
        counts: ``(images, classes)`` annotations.
        fold_of: ``(images,)`` fold of each image.
        folds: Number of folds.
        classes: The :class:`~mmseg_custom.classes.ClassList`.
    """
    from prettytable import PrettyTable

    from mmseg_custom.coco import fold_shares

    text = PrettyTable(['class', 'images', 'all', *(f'fold {fold}' for fold in range(folds))])
    text.align = 'r'
    text.align['class'] = 'l'
    rows = [counts.sum(axis=0) / max(counts.sum(), 1), *fold_shares(counts, fold_of, folds)]
    for label in classes.foreground:
        shares = [f'{100 * row[label]:.2f} %' for row in rows]
        text.add_row([classes.names[label], (counts[:, label] > 0).sum(), *shares])
    sizes = [str((fold_of == fold).sum()) for fold in range(folds)]
    text.add_row(['images', len(counts), len(counts), *sizes])
    return str(text)


if __name__ == '__main__':
    cli.main(build_parser, run)
