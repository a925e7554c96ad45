"""Merge labeled sets into one: classes mapped, each photo once."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, natural_int

SHOWN = 5


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Photos that look the same as one of --held-out, or of a file named '
        'before, are left out. Each photo keeps its license, and gets its "origin".',
        example='python data_prep/merge.py data/recycle_trash/train.json '
        'data/garbage6/annotations.json --class-map data/garbage6/annotations.json=garbage6.yaml '
        '--held-out data/recycle_trash/val.json --out data/merged.json',
    )
    cli.add_ann(parser, 'COCO files; the one whose labels count most first', several=True)
    parser.add_argument(
        '--class-map',
        nargs='+',
        default=[],
        metavar='[ANN=]FILE',
        help='YAML or CSV: the class (or Background, or ignore) for each name, of one file or of '
        'all, which need not have each name',
    )
    cli.add_classes_option(parser)
    parser.add_argument(
        '--held-out',
        nargs='+',
        type=existing_file,
        default=[],
        metavar='ANN',
        help='COCO files of photos that must not be trained on: validation, test',
    )
    parser.add_argument(
        '--hash-distance',
        type=natural_int,
        default=2,
        help='bits of 64 in which the hashes of photos that look the same may differ (2)',
    )
    parser.add_argument(
        '--no-photos', action='store_true', help='read no photo, and leave none out'
    )
    parser.add_argument('--out', required=True, metavar='FILE', help='COCO file to write')
    parser.add_argument('--force', action='store_true', help='replace FILE if it exists')
    return parser


def run(args) -> None:
    """Merge, check the classes, write, and say what is from where."""
    from pathlib import Path

    from mmseg_custom.coco import classes_of_files, require_valid
    from mmseg_custom.coco.merge import merge_sets
    from mmseg_custom.coco.photo_root import with_photo_root
    from mmseg_custom.utils import UserError, write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting

    refuse_overwriting([args.out], [*args.ann, *args.held_out])
    if Path(args.out).exists() and not args.force:
        raise UserError(f'{args.out}: exists already; choose another --out, or use --force')
    if args.no_photos and args.held_out:
        raise UserError('--held-out compares photos: leave out --no-photos')
    distance = None if args.no_photos else args.hash_distance
    own, common = class_maps(args)
    merged = merge_sets(args.ann, own, args.held_out, distance, common)
    classes = classes_of_files({args.out: merged.content}, args.classes)
    require_valid(args.out, merged.content, classes)
    write_json(args.out, with_photo_root(merged.content, args.out, merged.root))
    report(args, merged)


def class_maps(args) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return the class map of each annotation file that has its own, and that of all."""
    from pathlib import Path

    from mmseg_custom.coco.class_map import read_class_map
    from mmseg_custom.utils import UserError

    found: dict[str, dict[str, str]] = {}
    common: dict[str, str] = {}
    for text in args.class_map:
        ann, _, path = text.rpartition('=')
        if ann and ann not in args.ann:
            raise UserError(f'--class-map {text}: {ann} is none of {", ".join(args.ann)}')
        if not Path(path).is_file():
            raise UserError(f'--class-map {text}: {path} is no file')
        target = found.setdefault(ann, {}) if ann else common
        target.update(read_class_map(path) | target)
    return found, common


def report(args, merged) -> None:
    """Print what is from where, and what was left out."""
    from collections import Counter

    from prettytable import PrettyTable

    content = merged.content
    origins = {image['id']: image['origin'] for image in content['images']}
    photos = Counter(origins.values())
    objects = Counter(origins[one['image_id']] for one in content['annotations'])
    licensed = Counter(i['origin'] for i in content['images'] if i.get('license') is not None)
    dropped = Counter(one['origin'] for one in merged.dropped)
    text = PrettyTable(['origin', 'photos', 'annotations', 'with a license', 'left out'])
    text.align = 'r'
    text.align['origin'] = 'l'
    for origin in dict.fromkeys([*photos, *dropped]):
        text.add_row([origin, photos[origin], objects[origin], licensed[origin], dropped[origin]])
    print(text)
    for one in merged.dropped[:SHOWN]:
        print(f'left out: {one["file_name"]} {one["why"]}')
    if len(merged.dropped) > SHOWN:
        print(f'left out: {len(merged.dropped) - SHOWN} more')
    if merged.unused:
        print(f'no file has these names of the class map: {", ".join(merged.unused)}')
    names = [one['name'] for one in content['categories']]
    print(f'{len(names)} classes: {", ".join(names)}')
    print(f'wrote {args.out}, of {len(content["images"])} photos')


if __name__ == '__main__':
    cli.main(build_parser, run)
