"""Make a video of a conveyor belt with objects of labeled photos."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import natural_int, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Each photo gives its largest object that is inside it. What passes '
        'is written beside the video, as JSON: to test a model and its counts.',
        example='python data_prep/make_belt.py samples/recycle_trash/val.json --out belt.mp4',
    )
    cli.add_ann(parser, 'COCO file')
    cli.add_class_options(parser)
    cli.add_data_root(parser, 'folder that its file names are relative to')
    parser.add_argument('--out', required=True, metavar='FILE', help='the .mp4 file')
    parser.add_argument('--width', type=positive_int, default=320, help='of a frame (320)')
    parser.add_argument('--height', type=positive_int, default=240, help='of a frame (240)')
    parser.add_argument('--step', type=positive_int, default=32, help='pixels a frame (32)')
    parser.add_argument('--rate', type=positive_int, default=5, help='frames a second (5)')
    parser.add_argument('--seed', type=natural_int, default=0, help='of sizes and noise (0)')
    return parser


def run(args) -> None:
    """Draw one turn of the belt."""
    from mmseg_custom.coco.labelled_set import open_set
    from mmseg_custom.live.recording import Recording
    from mmseg_custom.toy.belt import Belt, cut_out
    from mmseg_custom.utils import UserError, atomic_path, write_json

    photos, classes, _ = open_set([args.ann], args.classes, args.class_map, args.data_root)
    objects = cut_out(photos.samples, classes)
    if not objects:
        raise UserError(f'{args.ann}: no photo has an object that is inside it and large enough')
    belt = Belt(objects, args.width, args.height, args.step, args.seed)
    with atomic_path(args.out) as temporary:
        video = Recording(Path(temporary))
        for number in range(belt.frames):
            video.add(belt.frame(number)[0][..., ::-1], number / args.rate)
        video.close()
    truth = Path(args.out).with_suffix('.json')
    passing = [classes.names[label] for label in belt.labels]
    write_json(truth, dict(frames=belt.frames, passing=passing, counts=belt.counts(classes)))
    without = len(photos.samples) - len(objects)
    print(f'{len(objects)} objects in {belt.frames} frames; wrote {args.out} and {truth}')
    if without:
        print(f'{without} photos have no object that is inside them and large enough: left out')


if __name__ == '__main__':
    cli.main(build_parser, run)
