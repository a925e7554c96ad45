"""Measure a checkpoint, and write the masks that it predicts."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_file


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/test.py configs/upernet_swin_toy.py '
        'work_dirs/upernet_swin_toy/iter_800.pth --out work_dirs/masks',
    )
    parser.add_argument('config', type=existing_file, help='the experiment')
    parser.add_argument('checkpoint', type=existing_file, help='the .pth or .safetensors file')
    parser.add_argument('--work-dir', help='where to write (default: work_dirs/<config name>)')
    parser.add_argument('--out', metavar='DIR', help='write predicted masks as palette PNGs')
    parser.add_argument(
        '--show-dir', metavar='DIR', help='write pictures: photo, truth, prediction'
    )
    parser.add_argument('--data-root', help='folder of the data')
    parser.add_argument(
        '--test-json', help='annotations to test on; without any, photos are only predicted'
    )
    cli.add_trust_option(parser)
    cli.add_tta_and_crf(parser)
    cli.add_config_options(parser)
    return parser


def run(args) -> None:
    """Build the experiment, then test."""
    from mmseg_custom.apis import test
    from mmseg_custom.checkpoints.safe_load import trust
    from mmseg_custom.experiment.build import build_experiment

    cfg = build_experiment(args)
    if args.trust_checkpoint:
        trust(args.checkpoint)
    test(cfg, args.checkpoint, args.out, args.show_dir)


if __name__ == '__main__':
    cli.main(build_parser, run)
