"""Convert labeled photos between the formats of labeling tools."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, existing_path, positive_number


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' What OUT cannot hold is counted before anything is written. '
        'Formats are described in docs/labeling.md.',
        example='python data_prep/convert.py samples/recycle_trash/val.json work_dirs/to_label '
        '--to labelme',
    )
    parser.add_argument(
        'input', metavar='IN', type=existing_path, help='annotation file, folder, or .zip of one'
    )
    parser.add_argument(
        'out', metavar='OUT', help='folder to write, or annotation file; must not exist'
    )
    parser.add_argument(
        '--from',
        dest='source',
        choices=cli.FORMATS,
        metavar='FORMAT',
        help='format of IN (found by looking at it)',
    )
    parser.add_argument(
        '--to',
        required=True,
        choices=cli.FORMATS,
        metavar='FORMAT',
        help=f'format of OUT: {", ".join(cli.FORMATS)}',
    )
    parser.add_argument(
        '--data-root',
        type=existing_dir,
        metavar='DIR',
        help='folder that file names of photos are relative to (what IN says)',
    )
    cli.add_class_options(parser)
    parser.add_argument(
        '--photos',
        choices=('copy', 'link', 'none'),
        help='copy the photos, make hard links, or leave them where they are (copy for formats '
        'whose tools look for photos beside the labels)',
    )
    parser.add_argument(
        '--simplify',
        type=positive_number,
        metavar='PIXELS',
        help='polygons with fewer corners; no outline moves farther than this',
    )
    parser.add_argument(
        '--allow-loss', action='store_true', help='write although OUT cannot hold everything'
    )
    parser.add_argument('--dry-run', action='store_true', help='only show what would be lost')
    return parser


def run(args) -> None:
    """Read, count what is lost, and write."""
    from mmseg_custom.formats import (
        formats,
        guess_format,
        loss_of,
        read_set,
        simplify,
        target_of,
        unpacked,
        write_set,
    )
    from mmseg_custom.utils import UserError

    out, target = Path(args.out), formats()[args.to]
    target_of(target, out)
    with unpacked(Path(args.input)) as source:
        kind = formats()[args.source] if args.source else guess_format(source)
        root = Path(args.data_root) if args.data_root else None
        photos = with_classes(read_set(source, kind, root), args)
        print(
            f'{args.input}: {kind.title} ({kind.name}), {len(photos.photos)} photos, '
            f'{photos.objects} objects of {len(photos.names)} classes: {", ".join(photos.names)}'
        )
        for note in photos.notes:
            print(f'  {note}')
        if args.simplify:
            photos, report = simplify(photos, args.simplify)
            print(report)
        loss = loss_of(photos, target)
        if loss:
            print(f'{target.name} cannot hold everything: {loss}')
        if args.dry_run:
            return
        if loss and not args.allow_loss:
            raise UserError(f'{args.out}: was not written', kind='lossy-format')
        how = args.photos or ('copy' if source != Path(args.input) else None)
        for note in write_set(photos, target, out, how):
            print(f'  {note}')
    print(f'wrote {out} ({target.title})')


def with_classes(photos, args):
    """Return the set with the classes of the command line."""
    from mmseg_custom.classes import class_list
    from mmseg_custom.coco.class_map import read_class_map, with_class_map
    from mmseg_custom.utils import UserError

    if not args.classes and not args.class_map:
        return photos
    classes = class_list(args.classes) if args.classes else mapped_classes(photos, args.class_map)
    if args.class_map:
        read_class_map(args.class_map)
        classes = with_class_map(classes, args.class_map)
    unknown = [name for name in photos.names if classes.label_of(name) is None]
    if unknown:
        raise UserError(
            f'{args.input}: {", ".join(unknown)} are none of the {classes}', kind='unfit-categories'
        )
    return photos.renamed(classes)


def mapped_classes(photos, class_map: str):
    """Return the classes of a set whose names a class map changes."""
    from mmseg_custom.classes import BACKGROUND, IGNORE, make_class_list, name_key
    from mmseg_custom.coco.class_map import read_class_map

    targets = {name_key(name): target for name, target in read_class_map(class_map).items()}
    names = [targets.get(name_key(name), name) for name in photos.names]
    names = {name_key(name): name for name in names}
    names = [name for key, name in names.items() if key not in (name_key(BACKGROUND), IGNORE)]
    return make_class_list([BACKGROUND, *names])


if __name__ == '__main__':
    cli.main(build_parser, run)
