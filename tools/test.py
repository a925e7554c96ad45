"""Measure a checkpoint on the test set and write its masks."""

from pathlib import Path

from mmseg_custom import cli


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Exit code 1: some photos could not be read.',
        example='python tools/test.py configs/upernet_swin_toy.py '
        'work_dirs/upernet_swin_toy/iter_800.pth --out work_dirs/tested',
    )
    cli.add_model(parser)
    parser.add_argument(
        '--out',
        metavar='DIR',
        help='folder to write to: DIR/metrics.json, DIR/masks (work_dirs/<name of CONFIG>/test)',
    )
    parser.add_argument(
        '--overlays',
        action='store_true',
        help='also draw photo, truth and prediction side by side: DIR/overlays',
    )
    parser.add_argument('--data-root', help='folder of the data')
    cli.add_ann_option(
        parser, '--test-json', 'annotations to test on; without any, photos are only predicted'
    )
    cli.add_tta_and_crf(parser)
    cli.add_class_options(parser)
    cli.add_config_options(parser)
    return parser


def run(args) -> int:
    """Build the experiment, then test."""
    import json

    from mmseg_custom.apis import test
    from mmseg_custom.experiment.build import build_experiment
    from mmseg_custom.experiment.launch import is_first_process

    cli.trust_checkpoints(args, args.checkpoint)
    cfg = build_experiment(args)
    cfg.work_dir = args.out or str(Path(cfg.work_dir, 'test'))
    out = Path(cfg.work_dir)
    test(cfg, args.checkpoint, out / 'masks', out / 'overlays' if args.overlays else None)
    if not is_first_process():
        # Only the process that reports fails: torchrun ends the others as soon as one does.
        return 0
    written = json.loads((out / 'metrics.json').read_text(encoding='utf-8'))
    skipped = [(reason, reason) for reason in written['skipped']]
    cli.report_skipped(skipped, written['photos'])
    return int(bool(skipped))


if __name__ == '__main__':
    cli.main(build_parser, run)
