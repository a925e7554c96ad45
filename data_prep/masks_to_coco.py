"""Convert label masks (palette or gray PNG) to a COCO file."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir


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
        type=existing_dir,
        required=True,
        metavar='DIR',
        help='folder of the photos, which have the same relative paths as the masks',
    )
    parser.add_argument('--out', required=True, metavar='FILE', help='COCO file to write')
    parser.add_argument(
        '--whole', action='store_true', help='one annotation a class, not one a component'
    )
    parser.add_argument('--force', action='store_true', help='replace FILE if it exists')
    return parser


def run(args) -> None:
    """Describe and say what there is now."""
    from mmseg_custom.classes import built_in
    from mmseg_custom.coco import masks_to_coco
    from mmseg_custom.utils import UserError, write_json

    if Path(args.out).exists() and not args.force:
        raise UserError(f'{args.out}: exists already; choose another --out, or use --force')
    content = masks_to_coco(args.masks, args.data_root, built_in(), args.whole)
    write_json(args.out, content)
    images = content['images']
    print(f'{len(images)} photos with {len(content["annotations"])} annotations in {args.out}')
    ignoring = sum('seg_map_path' in image for image in images)
    if ignoring:
        print(f'{ignoring} of them have ignored pixels, which COCO cannot say: these name the mask')


if __name__ == '__main__':
    cli.main(build_parser, run)
