"""Write one HTML page about a training: curves, scores, photos, speed."""

from dataclasses import replace
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_path, positive_int

PHOTOS = 8


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/report.py work_dirs/upernet_swin_toy',
    )
    parser.add_argument(
        'work_dir',
        type=existing_path,
        metavar='RUN',
        help='where tools/train.py wrote, or one of its checkpoints',
    )
    parser.add_argument('--out', metavar='FILE', help='HTML page to write (WORK_DIR/report.html)')
    parser.add_argument('--checkpoint', type=cli.model_file, help="the weights (WORK_DIR's latest)")
    parser.add_argument(
        '--count',
        type=positive_int,
        default=PHOTOS,
        help=f'how many are shown large as the worst, and as the best ({PHOTOS})',
    )
    parser.add_argument(
        '--no-photos', action='store_true', help='run no model: curves and what is in the logs'
    )
    parser.add_argument('--data-root', help='folder of the data')
    cli.add_ann_option(parser, '--val-json', 'annotations of the photos to look at')
    cli.add_class_map(parser)
    cli.add_device(parser)
    cli.add_trust_option(parser)
    return parser


def run(args) -> int:
    """Read the logs, look at the photos, and write the page."""
    from mmseg_custom.runs.report import make_report
    from mmseg_custom.visualization.pages.report_page import write_report_page

    found = read(args)
    missing = [] if found.validation else ['There was no validation yet: train on.']
    if not found.train:
        missing.append('There is no log of a training, so that there are no curves.')
    checkpoint = find_weights(args)
    results = None
    if args.no_photos:
        missing.append('Photos and calibration are left out (--no-photos).')
    elif checkpoint is None:
        missing.append('There is no checkpoint yet, so that no photo could be looked at.')
    else:
        results = look(args, found.config, checkpoint)
    if results and results.skipped:
        missing.append(f'{len(results.skipped)} photos could not be read and do not count.')
    report = make_report(found, results, results and Path(checkpoint).name)
    out = Path(args.out or Path(args.work_dir, 'report.html'))
    write_report_page(out, report, results and results.gallery, missing)
    for sentence in missing:
        print(sentence)
    if results:
        skipped = [(reason, reason) for reason in results.skipped]
        cli.report_skipped(skipped, results.photos)
    print(f'open {out}')
    return int(bool(results and results.skipped))


def read(args):
    """Return the training in the folder, or around the checkpoint, that was given.

    A checkpoint carries its experiment, which holds also where its folder has none.
    """
    from mmseg_custom.experiment.stored import has_experiment, stored_experiment
    from mmseg_custom.runs.run_folder import RunFolder, read_run

    if Path(args.work_dir).is_dir():
        return read_run(args.work_dir)
    args.checkpoint = args.checkpoint or args.work_dir
    args.work_dir = str(Path(args.checkpoint).parent)
    if not has_experiment(args.checkpoint):
        return read_run(args.work_dir)
    cfg = stored_experiment(args.checkpoint)
    if any(Path(args.work_dir).glob('*/vis_data/scalars.json')):
        return replace(read_run(args.work_dir), config=cfg)
    return RunFolder(Path(args.work_dir), cfg, Path(args.checkpoint).name, {}, {}, None)


def find_weights(args) -> str | None:
    """Return the checkpoint to look through, None if there is none."""
    from mmseg_custom.checkpoints.resume import find_checkpoint

    return args.checkpoint or find_checkpoint(args.work_dir)[0]


def look(args, cfg, checkpoint: str):
    """Run the model over the validation photos.

    Args:
        args: The command line.
        cfg: The experiment.
        checkpoint: Its weights.

    Returns:
        PhotoResults: See :class:`~mmseg_custom.runs.validation_photos.PhotoResults`.
    """
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.experiment import config as experiment
    from mmseg_custom.experiment.set_classes import set_classes
    from mmseg_custom.runs.validation_photos import ValidationPhotos, look_at_photos

    experiment.set_options(cfg, data_root=args.data_root, val_json=args.val_json)
    cli.trust_checkpoints(args, checkpoint)
    segmenter = TrashSegmenter(cfg, checkpoint, args.device)
    set_classes(cfg, segmenter.classes, class_map=args.class_map)
    return look_at_photos(segmenter, ValidationPhotos(cfg), args.count)


if __name__ == '__main__':
    cli.main(build_parser, run)
