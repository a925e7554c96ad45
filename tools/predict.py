"""Predict photos, folders, COCO files and videos; the same command goes on after a stop."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, existing_file, positive_int

REPORTED = 5


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Exit code 1: some photos could not be read.',
        example='python tools/predict.py configs/upernet_swin_toy.py work_dirs/demo/iter_800.pth '
        'data/toy_trash/batch_03 --out work_dirs/predicted',
    )
    parser.add_argument(
        'arguments',
        nargs='+',
        metavar='CONFIG CHECKPOINT INPUT',
        help='the experiment, its .pth file, and photos, folders, COCO files, videos',
    )
    parser.add_argument(
        '--onnx',
        type=existing_file,
        metavar='FILE',
        help='what tools/export.py wrote, instead of CONFIG and CHECKPOINT',
    )
    parser.add_argument('--out', required=True, help='folder: masks and predictions.json (COCO)')
    parser.add_argument('--overlays', action='store_true', help='also write pictures')
    parser.add_argument(
        '--probabilities', action='store_true', help='also write float16 probabilities (.npz)'
    )
    cli.add_tta_and_crf(parser)
    parser.add_argument('--data-root', type=existing_dir, help="folder of a COCO file's photos")
    parser.add_argument('--batch-size', type=positive_int, default=4, help='photos at once (4)')
    parser.add_argument(
        '--every', type=positive_int, default=1, help='of a video, every so many-th frame (1)'
    )
    parser.add_argument('--device', help='such as cpu or cuda:1 (the best there is)')
    parser.add_argument('--strict', action='store_true', help='stop at a photo that is broken')
    cli.add_trust_option(parser)
    cli.add_launcher(parser)
    return parser


def run(args) -> int:
    """Predict, then describe the masks as COCO."""
    from mmengine.dist import barrier, is_main_process

    from mmseg_custom.experiment.launch import join_processes
    from mmseg_custom.experiment.tta import read_crf
    from mmseg_custom.postprocess import DenseCrf
    from mmseg_custom.prediction.outputs import Outputs, require_same_run, write_coco
    from mmseg_custom.prediction.photo_sources import list_photos
    from mmseg_custom.prediction.predict import predict_photos

    model, inputs = split_arguments(args)
    join_processes(args.launcher)
    photos = list_photos(inputs, args.data_root, args.every)
    crf = read_crf(args.crf) if args.crf else None
    outputs = Outputs(Path(args.out), args.overlays, args.probabilities, crf and DenseCrf(**crf))
    segmenter = segmenter_of(args, model)
    if is_main_process():
        require_same_run(outputs.folder, made_from(args, model, crf))
    barrier()
    skipped = predict_photos(segmenter, photos, outputs, args.batch_size, args.strict)
    if is_main_process():
        target = write_coco(photos, outputs, len(segmenter.classes))
        print(f'{len(photos) - len(skipped)} photos predicted; wrote {outputs.folder} and {target}')
        report_skipped(skipped, len(photos))
    # Only the process that reports fails: torchrun ends the others as soon as one does.
    return int(bool(skipped) and is_main_process())


def split_arguments(args) -> tuple[list[str], list[str]]:
    """Return the files of the model, and the inputs."""
    from mmseg_custom.utils import UserError

    if args.onnx:
        return [args.onnx], args.arguments
    model, inputs = args.arguments[:2], args.arguments[2:]
    for path in model:
        if not Path(path).is_file():
            raise UserError(f'{path}: no such file; give CONFIG CHECKPOINT INPUT…, or --onnx FILE')
    if not inputs:
        raise UserError(
            'no input: give CONFIG CHECKPOINT INPUT… (photos, folders, COCO files, videos)'
        )
    return model, inputs


def segmenter_of(args, model: list[str]):
    """Load the model."""
    from mmseg_custom.apis import OnnxSegmenter, TrashSegmenter
    from mmseg_custom.checkpoints.safe_load import trust
    from mmseg_custom.utils import UserError

    if not args.onnx:
        if args.trust_checkpoint:
            trust(model[1])
        return TrashSegmenter(*model, args.device, args.tta)
    if args.tta or args.device:
        raise UserError('--tta and --device go with a checkpoint, not with --onnx')
    segmenter = OnnxSegmenter(args.onnx)
    if (args.probabilities or args.crf) and not segmenter.has_probabilities:
        raise UserError(f'{args.onnx}: has no probabilities; export it without --argmax')
    return segmenter


def report_skipped(skipped: list[tuple[str, str]], total: int) -> None:
    """Say which photos could not be read."""
    for _, reason in skipped[:REPORTED]:
        print(f'skipped: {reason}')
    if skipped:
        print(f'{len(skipped)} of {total} photos could not be read')


def made_from(args, model: list[str], crf: dict | None) -> dict:
    """Return what decides over the bits of the results."""
    from mmseg_custom.checkpoints.checkpoint import digest_of

    return dict(
        config=Path(model[0]).name,
        checkpoint=digest_of(model[-1]),
        batch_size=args.batch_size,
        tta=args.tta,
        crf=crf,
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
