"""Predict photos, folders, COCO files and videos."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

# Of addresses that are watched, not read; photos can be on a web server.
STREAMS = ('rtsp', 'rtsps', 'rtmp', 'rtp', 'udp', 'tcp', 'srt', 'mms')


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' The same command continues after a stop. Exit code 1: some photos '
        'could not be read.',
        example='python tools/predict.py weights/trash11 samples/recycle_trash/batch_01 '
        '--out work_dirs/predicted --overlays',
    )
    parser.add_argument(
        'arguments',
        nargs='+',
        metavar='MODEL INPUT',
        help='CHECKPOINT that tools/train.py wrote, CONFIG CHECKPOINT, a model folder, or a file '
        'of tools/export.py (.onnx, .xml, .ncnn.param), which computes with a thread a core, '
        'or OMP_NUM_THREADS; then photos, folders, COCO files, videos',
    )
    cli.add_prediction_outputs(parser)
    cli.add_tta_and_crf(parser)
    cli.add_max_side(parser)
    cli.add_classes_option(parser)
    cli.add_data_root(parser, 'folder that file names in a COCO file are relative to')
    parser.add_argument('--batch-size', type=positive_int, default=4, help='photos at once (4)')
    parser.add_argument(
        '--every',
        type=positive_int,
        default=1,
        help='take every Nth frame of a video (1)',
        metavar='N',
    )
    cli.add_device(parser)
    parser.add_argument('--strict', action='store_true', help='stop at the first broken photo')
    cli.add_trust_option(parser)
    cli.add_continue_options(parser)
    cli.add_launcher(parser)
    return parser


def run(args) -> int:
    """Predict, then describe the masks as COCO."""
    from mmseg_custom.coco.result_classes import write_classes
    from mmseg_custom.postprocess import DenseCrf
    from mmseg_custom.prediction.outputs import Outputs, write_coco
    from mmseg_custom.prediction.photo_sources import list_photos
    from mmseg_custom.prediction.pre_labels import write_predicted
    from mmseg_custom.prediction.predict import predict_photos
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.utils.processes import rank_and_size, wait_for_all
    from mmseg_custom.utils.provenance import FILE, Provenance

    model, inputs = split_arguments(args)
    if args.launcher != 'none':
        from mmseg_custom.experiment.launch import join_processes

        join_processes(args.launcher)
    photos = list_photos(inputs, args.data_root, args.every, [args.out])
    crf = crf_options(args)
    refine = crf and DenseCrf(**crf)
    scores = bool(args.labels_as)
    outputs = Outputs(Path(args.out), args.overlays, args.probabilities, refine, scores)
    refuse_overwriting(outputs.paths_of(photos), [*inputs, *(photo.path for photo in photos)])
    segmenter = cli.load_segmenter(args, model, bool(args.probabilities or args.crf or scores))
    is_first = rank_and_size()[0] == 0
    if is_first:
        made_from = dict(segmenter.made_from, batch_size=args.batch_size, crf=crf)
        made_from |= cli.given(args, 'max_side')
        provenance = Provenance(outputs.folder / FILE, 'predict', made_from)
        continue_results(provenance, outputs, photos, **cli.continue_options(args))
        if not args.dry_run:
            write_classes(outputs.folder, segmenter.classes, replace=True)
    wait_for_all()
    if args.dry_run:
        return 0
    skipped = predict_photos(
        segmenter, photos, outputs, args.batch_size, args.strict, args.max_side
    )
    if is_first:
        target = write_coco(photos, outputs, segmenter.classes)
        print(f'{len(photos) - len(skipped)} photos predicted; wrote {outputs.folder} and {target}')
        write_predicted(photos, target, segmenter.classes, args.labels_as, args.simplify)
        cli.report_skipped(skipped, len(photos))
    # Only the process that reports fails: torchrun ends the others as soon as one does.
    return int(bool(skipped) and is_first)


def split_arguments(args) -> tuple[list[str], list[str]]:
    """Return the files of the model, and the inputs."""
    from mmseg_custom.utils import UserError
    from mmseg_custom.utils.model_folder import weights_path

    usage = 'CHECKPOINT INPUT…, MODEL_FOLDER INPUT…, CONFIG CHECKPOINT INPUT…, or EXPORTED INPUT…'
    count = 2 if args.arguments[0].endswith('.py') else 1
    model, inputs = args.arguments[:count], args.arguments[count:]
    model = [weights_path(path) for path in model]
    for path in model:
        if not Path(path).is_file():
            raise UserError(f'{path}: no such file; usage: {usage}')
    for path in inputs:
        is_stream = path.partition('://')[0] in STREAMS and '://' in path
        if path.isdigit() or is_stream or path.startswith('/dev/video'):
            raise UserError(f'{path}: is a camera or a stream, which tools/watch.py segments')
    if not inputs:
        raise UserError(f'no photos, folders, COCO files or videos to predict; usage: {usage}')
    return model, inputs


def crf_options(args) -> dict | None:
    """Return the arguments of the dense CRF, None without one."""
    if not args.crf:
        return None
    from mmseg_custom.experiment.tta import read_crf

    return read_crf(args.crf)


if __name__ == '__main__':
    cli.main(build_parser, run)
