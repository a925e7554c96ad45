"""Export a model to ONNX, OpenVINO or ncnn, compared with PyTorch."""

import argparse
import tempfile
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
    parser.add_argument(
        '--out',
        required=True,
        metavar='FILE',
        help='what to write: .onnx, .xml (OpenVINO; a .bin comes beside it), or .ncnn.param (ncnn, '
        'for phones; a .ncnn.bin and a .ncnn.json come beside it)',
    )
    parser.add_argument(
        '--argmax', action='store_true', help='give labels (N, H, W) instead of probabilities'
    )
    add_smaller_numbers(parser)
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


def add_smaller_numbers(parser: cli.Parser) -> None:
    """Add the options of models that are not quite the same any more."""
    parser.add_argument(
        '--int8',
        action='store_true',
        help='compute with 8-bit integers, in ranges measured on the photos of --photos',
    )
    parser.add_argument(
        '--float16', action='store_true', help='store weights as float16: half the file'
    )
    parser.add_argument(
        '--measure',
        metavar='ANN',
        help='with --int8 or --float16: measure the loss as points of mIoU on this COCO file '
        '(percent of the pixels of --photos that get another class)',
    )
    parser.add_argument(
        '--max-loss',
        type=float,
        default=0.5,
        metavar='POINTS',
        help='with --int8: leave layers in float until the loss is at most this (0.5); with '
        '--float16: write nothing if it is more',
    )


def run(args) -> None:
    """Export to a temporary folder, and keep it if it gives what PyTorch gives."""
    from mmseg_custom.apis.exported_formats import segmenter_class
    from mmseg_custom.prediction.photo_sources import list_photos
    from mmseg_custom.utils.atomic import publish

    suffix = checked_suffix(args)
    cli.trust_checkpoints(args, args.checkpoint)
    photos = [photo.read() for photo in list_photos(args.photos)] if args.photos else []
    segmenter = segmenter_of(args)
    with tempfile.TemporaryDirectory(prefix='export') as folder:
        target = Path(folder, Path(args.out).name)
        write(args, suffix, segmenter, target, photos)
        publish(segmenter_class(suffix).files(target), Path(args.out).parent)
    print(f'wrote {args.out}')


def checked_suffix(args) -> str:
    """Return the format, and refuse what does not go together."""
    from mmseg_custom.apis.exported_formats import SEGMENTERS, suffix_of
    from mmseg_custom.utils import UserError

    suffix = suffix_of(args.out)
    if suffix is None:
        raise UserError(f'--out {args.out}: give a name that ends in {", ".join(SEGMENTERS)}')
    smaller = '--int8' if args.int8 else '--float16' if args.float16 else None
    if args.int8 and args.float16:
        raise UserError('--int8 and --float16: give one of them')
    if smaller and not args.photos:
        raise UserError(f'{smaller} needs --photos: photos of the kind that the model will see')
    if args.measure and not smaller:
        raise UserError('--measure is for --int8 and --float16')
    if args.float16 and suffix == '.onnx':
        raise UserError('--float16: onnxruntime computes with float32 on CPUs; write .xml')
    if (args.int8 or args.argmax) and suffix == '.ncnn.param':
        raise UserError(f'{"--int8" if args.int8 else "--argmax"} is for .onnx and .xml')
    return suffix


def segmenter_of(args):
    """Load the model into the experiment that the command line asks for."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.experiment.build import build_experiment

    # The segmenter adds the views itself.
    cfg = build_experiment(argparse.Namespace(**dict(vars(args), tta=None)))
    return TrashSegmenter(cfg, args.checkpoint, 'cpu', args.tta, cli.given_classes(args))


def write(args, suffix: str, segmenter, target: Path, photos) -> None:
    """Write the files of the model, and check what they give.

    Raises:
        UserError: They give something else than PyTorch does.
    """
    from mmseg_custom.apis.export import export_onnx
    from mmseg_custom.apis.export_formats import export_ncnn, export_openvino
    from mmseg_custom.apis.exported_formats import load_exported

    if suffix == '.ncnn.param':
        export_ncnn(segmenter, target, args.float16)
        check(args, segmenter, load_exported(target), photos, target)
        return
    file = target if suffix == '.onnx' else target.with_name('float.onnx')
    export_onnx(segmenter, file, args.argmax, args.opset)
    if args.int8:
        check_same(args, segmenter, load_exported(file), photos, file)
        write_int8(args, file, photos)
    if suffix == '.xml':
        export_openvino(file, target, args.float16)
    if suffix == '.xml' or not args.int8:
        check(args, segmenter, load_exported(target), photos, target)


def check(args, segmenter, exported, photos, target: Path) -> None:
    """Check a model that has been written against PyTorch, by the loss if it may lose something."""
    from mmseg_custom.prediction.model_loss import ModelLoss
    from mmseg_custom.utils import UserError

    if not (args.int8 or args.float16):
        check_same(args, segmenter, exported, photos, target)
        return
    loss = ModelLoss(segmenter, photos, args.measure)
    lost = loss(exported)
    print(f'loses {lost:.2f} {loss.unit}; {size_of(target)}')
    if lost > args.max_loss:
        raise UserError(f'it may lose {args.max_loss:g} (--max-loss): nothing was written')


def check_same(args, segmenter, exported, photos, target: Path) -> None:
    """Check that nothing is lost."""
    from mmseg_custom.apis.export import sizes_for
    from mmseg_custom.apis.parity import compare, random_photos
    from mmseg_custom.utils import UserError

    # Noise of sizes that were not seen at export.
    batches = [[photo] for photo in photos] or random_photos(sizes_for(segmenter)[1:])
    parity = compare(segmenter, exported, batches)
    print(f'float: {parity}; {size_of(target)}')
    if not parity.holds:
        raise UserError(
            f'{args.checkpoint}: the exported model is another one ({parity}); nothing was written'
        )


def write_int8(args, file: Path, photos) -> None:
    """Replace an exported model by a quantized one, and print what that costs."""
    from mmseg_custom.apis.exported_formats import load_exported
    from mmseg_custom.apis.int8 import StaticQuantizer, quantize_within
    from mmseg_custom.prediction.model_loss import ModelLoss

    loss = ModelLoss(load_exported(file), photos, args.measure)
    quantizer = StaticQuantizer(file, photos[:: max(1, len(photos) // MOST_CALIBRATED)])
    floating, lost = quantize_within(quantizer, file, loss, args.max_loss)
    print(
        f'int8: loses {lost:.2f} {loss.unit}, {len(floating)} of {len(quantizer.layers)} layers '
        f'stay in float; {size_of(file)}'
    )


def size_of(path: Path) -> str:
    """Return the size of a model's files for people."""
    from mmseg_custom.apis.exported_formats import segmenter_class, suffix_of

    files = segmenter_class(suffix_of(path) or '.onnx').files(path)
    return f'{sum(file.stat().st_size for file in files) / MEGABYTE:.1f} MB'


if __name__ == '__main__':
    cli.main(build_parser, run)
