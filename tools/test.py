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
    """Build the config, then test."""
    from mmseg_custom.apis import test
    from mmseg_custom.checkpoints.safe_load import trust
    from mmseg_custom.experiment import config as experiment
    from mmseg_custom.experiment.launch import fit_to_machine
    from mmseg_custom.experiment.tta import read_crf, set_tta

    cfg = experiment.load_config(args.config, args.cfg_options, args.work_dir, args.override)
    if args.data_root:
        experiment.set_data_root(cfg, args.data_root)
    if args.test_json:
        experiment.set_ann_file(cfg, 'test_dataloader', args.test_json)
    experiment.drop_pretrained(cfg.model)
    if args.tta or args.crf:
        set_tta(cfg, args.tta or 'none', read_crf(args.crf) if args.crf else None)
    fit_to_machine(cfg, args.launcher)
    if args.trust_checkpoint:
        trust(args.checkpoint)
    test(cfg, args.checkpoint, args.out, args.show_dir)


if __name__ == '__main__':
    cli.main(build_parser, run)
