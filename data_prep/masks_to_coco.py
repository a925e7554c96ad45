"""Convert label masks (palette or gray PNG) to a COCO file."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import data_folder, existing_dir


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/masks_to_coco.py work_dirs/masks --data-root data/toy_trash '
        '--out data/toy_trash/pseudo.json',
    )
    parser.add_argument('masks', metavar='MASKS', type=existing_dir, help='folder of the masks')
    parser.add_argument(
        '--data-root',
        type=data_folder,
        required=True,
        metavar='DIR',
        help='folder of the photos, which have the same relative paths as the masks',
    )
    parser.add_argument('--out', required=True, metavar='FILE', help='COCO file to write')
    parser.add_argument(
        '--whole', action='store_true', help='one annotation per class, not one per component'
    )
    cli.add_classes_option(parser)
    parser.add_argument('--force', action='store_true', help='replace FILE if it exists')
    return parser


def run(args) -> int:
    """Describe and say what there is now."""
    from mmseg_custom.classes import DEFAULT, built_in, class_list
    from mmseg_custom.coco import masks_to_coco
    from mmseg_custom.coco.photo_folders import photos_below
    from mmseg_custom.coco.photo_root import with_photo_root
    from mmseg_custom.utils import UserError, write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting

    if Path(args.out).exists() and not args.force:
        raise UserError(f'{args.out}: exists already; choose another --out, or use --force')
    refuse_overwriting([args.out], photos_below(args.masks) + photos_below(args.data_root))
    classes = class_list(args.classes) if args.classes else built_in()
    if not args.classes:
        print(f'classes: {DEFAULT}, the default; --classes says what the labels mean')
    content, skipped = masks_to_coco(args.masks, args.data_root, classes, args.whole)
    write_json(args.out, with_photo_root(content, args.out, args.data_root))
    images = content['images']
    print(f'{len(images)} photos with {len(content["annotations"])} annotations in {args.out}')
    ignoring = sum('seg_map_path' in image for image in images)
    if ignoring:
        print(f'{ignoring} of them have ignored pixels, which COCO cannot say: these name the mask')
    cli.report_skipped(skipped, len(images) + len(skipped))
    return int(bool(skipped))


if __name__ == '__main__':
    cli.main(build_parser, run)
