"""Export a model to ONNX and check it against PyTorch."""

import argparse
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

MEGABYTE = 1e6


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/export.py configs/upernet_swin_toy.py '
        'work_dirs/demo_toy/iter_800.pth --out work_dirs/demo_toy/model.onnx',
    )
    cli.add_model(parser)
    cli.add_class_options(parser)
    cli.add_training_options(parser)
    cli.add_config_changes(parser)
    cli.add_tta(parser)
    parser.add_argument('--out', required=True, metavar='FILE', help='.onnx file to write')
    parser.add_argument(
        '--argmax', action='store_true', help='give labels (N, H, W) instead of probabilities'
    )
    parser.add_argument(
        '--int8', action='store_true', help='store int8 weights, and measure what that costs'
    )
    parser.add_argument(
        '--opset', type=positive_int, default=17, help="version of ONNX's operators (17)"
    )
    parser.add_argument(
        '--photos', nargs='+', default=[], metavar='PHOTO', help='check on these (noise)'
    )
    return parser


def run(args) -> None:
    """Export to a temporary file, and keep it if it gives what PyTorch gives."""
    from mmseg_custom.apis.export import export_onnx, quantise
    from mmseg_custom.apis.onnx_segmenter import OnnxSegmenter
    from mmseg_custom.apis.parity import compare
    from mmseg_custom.utils import UserError, atomic_path

    if not args.out.endswith('.onnx'):
        raise UserError(f'--out {args.out}: give a name that ends in .onnx')
    cli.trust_checkpoints(args, args.checkpoint)
    segmenter = segmenter_of(args)
    batches = photos_of(args.photos, segmenter)
    with atomic_path(args.out) as temporary:
        export_onnx(segmenter, temporary, args.argmax, args.opset)
        parity = compare(segmenter, OnnxSegmenter(temporary), batches)
        print(f'float: {parity}; {size_of(temporary)}')
        if not parity.holds:
            raise UserError(
                f'{args.checkpoint}: the exported model is another one ({parity}); nothing was '
                'written'
            )
        if args.int8:
            quantise(temporary, temporary)
            loss = compare(segmenter, OnnxSegmenter(temporary), batches)
            print(f'int8: {loss}; {size_of(temporary)}')
    print(f'wrote {args.out}')


def segmenter_of(args):
    """Load the model into the experiment that the command line asks for."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.experiment.build import build_experiment

    # The segmenter adds the views itself.
    cfg = build_experiment(argparse.Namespace(**dict(vars(args), tta=None)))
    return TrashSegmenter(cfg, args.checkpoint, 'cpu', args.tta, cli.given_classes(args))


def photos_of(paths, segmenter):
    """Return batches of one photo each; of noise if none is named."""
    from mmseg_custom.apis.export import sizes_for
    from mmseg_custom.apis.parity import random_photos
    from mmseg_custom.prediction.photo_sources import list_photos

    if paths:
        return [[photo.read()] for photo in list_photos(paths)]
    return random_photos(sizes_for(segmenter)[1:])


def size_of(path: Path) -> str:
    """Return a file's size for people."""
    return f'{path.stat().st_size / MEGABYTE:.1f} MB'


if __name__ == '__main__':
    cli.main(build_parser, run)
