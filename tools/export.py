"""Export a model to ONNX and check it against PyTorch."""

import argparse
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

MEGABYTE = 1e6
# Photos that int8's ranges are measured on, at most twice as many; more say the same.
MOST_CALIBRATED = 40


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
        '--int8',
        action='store_true',
        help='compute with 8-bit integers, in ranges measured on the photos of --photos',
    )
    parser.add_argument(
        '--measure',
        metavar='ANN',
        help='with --int8: measure the loss as points of mIoU on this COCO file (percent of the '
        'pixels of --photos that get another class)',
    )
    parser.add_argument(
        '--max-loss',
        type=float,
        default=0.5,
        metavar='POINTS',
        help='with --int8: leave layers in float until the loss is at most this (0.5)',
    )
    parser.add_argument(
        '--opset', type=positive_int, default=17, help="version of ONNX's operators (17)"
    )
    parser.add_argument(
        '--photos',
        nargs='+',
        default=[],
        metavar='PHOTO',
        help='check on these: files, folders, COCO files (noise)',
    )
    return parser


def run(args) -> None:
    """Export to a temporary file, and keep it if it gives what PyTorch gives."""
    from mmseg_custom.apis.export import export_onnx
    from mmseg_custom.apis.onnx_segmenter import OnnxSegmenter
    from mmseg_custom.apis.parity import compare
    from mmseg_custom.utils import UserError, atomic_path

    if args.int8 and not args.photos:
        raise UserError('--int8 needs --photos: photos of the kind that the model will see')
    if args.measure and not args.int8:
        raise UserError('--measure is for --int8')
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
            write_int8(args, temporary, [photo for batch in batches for photo in batch])
    print(f'wrote {args.out}')


def segmenter_of(args):
    """Load the model into the experiment that the command line asks for."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.experiment.build import build_experiment

    # The segmenter adds the views itself.
    cfg = build_experiment(argparse.Namespace(**dict(vars(args), tta=None)))
    return TrashSegmenter(cfg, args.checkpoint, 'cpu', args.tta, cli.given_classes(args))


def write_int8(args, file: Path, photos) -> None:
    """Replace an exported model by a quantized one, and print what that costs."""
    from mmseg_custom.apis.int8 import StaticQuantizer, quantize_within
    from mmseg_custom.apis.onnx_segmenter import OnnxSegmenter
    from mmseg_custom.apis.parity import compare
    from mmseg_custom.prediction.model_scores import score_model

    exact = OnnxSegmenter(file)
    batches = [[photo] for photo in photos]

    def miou(segmenter) -> float:
        return score_model(segmenter, args.measure, None).miou

    def pixels_lost(segmenter) -> float:
        return 100 * (1 - compare(exact, segmenter, batches).equal)

    before = miou(exact) if args.measure else 0.0

    def loss_of(segmenter) -> float:
        return before - miou(segmenter) if args.measure else pixels_lost(segmenter)

    quantizer = StaticQuantizer(file, photos[:: max(1, len(photos) // MOST_CALIBRATED)])
    floating, loss = quantize_within(quantizer, file, loss_of, args.max_loss)
    unit = f'points of mIoU ({before:.1f} in float)' if args.measure else '% of the pixels changed'
    print(
        f'int8: loses {loss:.2f} {unit}, {len(floating)} of {len(quantizer.layers)} layers stay in '
        f'float; {size_of(file)}'
    )


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
