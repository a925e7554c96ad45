"""Paste objects of rare classes into other photos."""

import os
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, natural_int, positive_int

LSJ_MIN, LSJ_MAX = 0.2, 2.0
SHEET, SHOWN = 'contact_sheet.jpg', 12


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/copy_paste.py --json-path data/recycle_trash/train.json '
        '--patch "Paper pack" Battery Clothing --lsj --aug-num 1500',
    )
    cli.add_ann_option(parser, '--json-path', 'COCO file to take photos from', required=True)
    parser.add_argument(
        '--data-root',
        type=existing_dir,
        metavar='DIR',
        help='folder that file names are relative to (the folder of --json-path)',
    )
    cli.add_class_options(parser)
    parser.add_argument('--out', metavar='DIR', help='folder of the set (DATA_ROOT/copy_paste)')
    parser.add_argument('--patch', nargs='+', metavar='CLASS', help='classes to paste (all)')
    parser.add_argument(
        '--remove-patch', nargs='+', default=[], metavar='CLASS', help='classes not to paste (none)'
    )
    parser.add_argument(
        '--lsj', action='store_true', help='large-scale jitter: change the size of pasted objects'
    )
    parser.add_argument('--lsj-min', type=float, help=f'smallest scale factor ({LSJ_MIN})')
    parser.add_argument('--lsj-max', type=float, help=f'largest scale factor ({LSJ_MAX})')
    parser.add_argument('--aug-num', type=positive_int, default=1500, help='photos to make (1500)')
    parser.add_argument(
        '--max-objects', type=positive_int, default=3, help='at most so many in a photo (3)'
    )
    parser.add_argument(
        '--feather', type=natural_int, default=0, help='fade objects in over so many pixels (0)'
    )
    parser.add_argument(
        '--mode',
        choices=('add', 'new'),
        default='add',
        help='the new COCO file holds the old photos, too, or only the new ones (add)',
    )
    parser.add_argument(
        '--extract-patch',
        action='store_true',
        help='also write each object that may be pasted as a PNG to OUT/patches',
    )
    parser.add_argument('--seed', type=natural_int, default=0, help='other seed, other set (0)')
    parser.add_argument(
        '--force', action='store_true', help='start over where another set is in --out'
    )
    parser.add_argument(
        '--verify', action='store_true', help='read every photo again to see if one has changed'
    )
    parser.add_argument(
        '--workers', type=positive_int, default=os.cpu_count(), help='processes (one a core)'
    )
    return parser


def run(args) -> int:
    """Paste, write, and say how much of each class there is now."""
    from mmseg_custom.coco import classes_of_files, read_coco
    from mmseg_custom.coco.paste.paste_set import open_source, write_paste_set
    from mmseg_custom.coco.paste.paste_workers import write_patches
    from mmseg_custom.coco.read import file_order

    content = read_coco(args.json_path)
    classes = classes_of_files({args.json_path: content}, args.classes, args.class_map)
    source = open_source(args.json_path, classes, args.data_root, content)
    options = paste_options(args, classes, file_order(source.content, classes))
    out = Path(args.out or source.data_root / 'copy_paste')
    add = args.mode == 'add'
    target = write_paste_set(
        args.json_path,
        source,
        out,
        options,
        args.aug_num,
        add,
        args.workers,
        args.force,
        args.verify,
    )
    if args.extract_patch:
        count = write_patches(source, options, out, args.workers)
        print(f'wrote {count} objects to {out / "patches"}')
    content, root = read_coco(target), source.data_root if add else out
    draw_sheet(out / SHEET, content, root, source.classes)
    report(source.content, content, source.classes)
    print(f'wrote {target}, of {len(content["images"])} photos, and {out / SHEET}')
    print(f'tools/train.py CONFIG --data-root {root} --train-json {target} trains on it')
    cli.report_skipped(source.skipped, len(source.content['images']) + len(source.skipped))
    return int(bool(source.skipped))


def paste_options(args, classes, order):
    """Turn the command line into :class:`mmseg_custom.coco.paste.paste_photo.PasteOptions`.

    Args:
        args: The command line.
        classes: The :class:`~mmseg_custom.classes.ClassList`.
        order: Labels in the order in which objects are drawn.
    """
    from mmseg_custom.coco import labels_of_names
    from mmseg_custom.coco.paste.paste_photo import PasteOptions
    from mmseg_custom.utils import UserError

    if not args.lsj and (args.lsj_min, args.lsj_max) != (None, None):
        raise UserError('--lsj-min and --lsj-max belong to --lsj: give it, too')
    scale_range = (1.0, 1.0)
    if args.lsj:
        lowest = LSJ_MIN if args.lsj_min is None else args.lsj_min
        scale_range = (lowest, LSJ_MAX if args.lsj_max is None else args.lsj_max)
    if not 0 < scale_range[0] <= scale_range[1] < float('inf'):
        raise UserError(
            f'--lsj-min {scale_range[0]} --lsj-max {scale_range[1]}: give two factors '
            'above 0, the smaller one first'
        )
    removed = {classes.background, *labels_of_names(args.remove_patch, classes)}
    labels = set(labels_of_names(args.patch or classes.names, classes)) - removed
    if not labels:
        raise UserError('no class is left to paste: take some out of --remove-patch')
    return PasteOptions(
        tuple(label for label in order if label in labels),
        scale_range,
        args.max_objects,
        args.feather,
        args.seed,
    )


def draw_sheet(path: Path, content: dict, root: Path, classes) -> None:
    """Draw the first pasted photos and their masks."""
    import numpy as np

    from mmseg_custom.coco import coco_to_samples
    from mmseg_custom.coco.masks import sample_mask
    from mmseg_custom.coco.photos import read_photo
    from mmseg_custom.utils import atomic_path
    from mmseg_custom.visualization import contact_sheet

    pasted = {image['id'] for image in content['images'] if 'pasted_onto' in image}
    rows = []
    for sample in coco_to_samples(content, classes):
        if sample['img_id'] in pasted and len(rows) < SHOWN:
            photo = read_photo(root / sample['file_name'])
            photo = np.ascontiguousarray(photo[..., ::-1])
            rows.append((sample['file_name'], photo, [sample_mask(sample, root, classes)]))
    with atomic_path(path) as temporary:
        contact_sheet(rows, classes, ('photo', 'labels')).save(temporary, quality=85)


def report(before: dict, after: dict, classes) -> None:
    """Print how many images hold each class before and after."""
    from prettytable import PrettyTable

    from mmseg_custom.coco.stats.class_counts import class_counts

    text = PrettyTable(['class', 'images before', 'after', 'annotations before', 'after '])
    text.align = 'r'
    text.align['class'] = 'l'
    counts = [class_counts(content, classes) for content in (before, after)]
    for label in classes.foreground:
        images = [(count[:, label] > 0).sum() for count in counts]
        text.add_row([classes.names[label], *images, *(count[:, label].sum() for count in counts)])
    print(text)


if __name__ == '__main__':
    cli.main(build_parser, run)
