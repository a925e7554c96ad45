"""Draw a toy data set in the contest's layout."""

import argparse

from mmseg_custom import cli
from mmseg_custom.cli import natural_int, positive_int

# mmseg_custom.toy.dataset.MIN_SIZE, which cannot be imported here: it would load torch.
MIN_SIZE = 32


def photo_size(text: str) -> int:
    """Argument type: a side that things can still be recognized at."""
    size = positive_int(text)
    if size < MIN_SIZE:
        raise argparse.ArgumentTypeError(
            f'photos of {size} px are too small: take a size of {MIN_SIZE} or more'
        )
    return size


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/make_toy_trash.py --out data/toy_trash --train 480 --val 80',
    )
    parser.add_argument('--out', default='data/toy_trash', help='folder (data/toy_trash)')
    parser.add_argument('--train', type=positive_int, default=480, help='training photos (480)')
    parser.add_argument('--val', type=natural_int, default=80, help='validation photos (80)')
    parser.add_argument('--test', type=natural_int, default=20, help='test photos (20)')
    parser.add_argument('--size', type=photo_size, default=128, help='side in pixels (128)')
    parser.add_argument('--seed', type=natural_int, default=0, help='other seed, other photos (0)')
    parser.add_argument('--force', action='store_true', help='draw even if the set is there')
    return parser


def run(args) -> None:
    """Draw and say what there is now."""
    from mmseg_custom.toy import write_toy_set

    options = vars(args)
    drawn = write_toy_set(**options)
    what = 'drew' if drawn else 'kept (the same set is there; --force draws it again)'
    print(
        f'{what}: {args.train} training, {args.val} validation, {args.test} test photos '
        f'of {args.size}x{args.size} in {args.out}'
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
