"""Print the experiment that train.py would run, with sources of values."""

import runpy
from pathlib import Path

from mmseg_custom import cli

TRAIN = Path(__file__).with_name('train.py')


def build_parser() -> cli.Parser:
    """Describe the command line: that of tools/train.py."""
    parser = runpy.run_path(str(TRAIN))['build_parser']()
    parser.description = f'{__doc__} Takes everything that tools/train.py takes.'
    parser.epilog = (
        'example:\n  python tools/print_config.py configs/upernet_swin_toy.py --loss focal '
        '--cfg-options train_cfg.max_iters=100'
    )
    return parser


def run(args) -> None:
    """Build the experiment step by step, and print each value with its origin."""
    from mmseg_custom.experiment.origins import trace_origins

    cfg, origins = trace_origins(args)
    width = max(len(f'{key} = {value!r}') for key, (value, _) in origins.items())
    for key, (value, origin) in origins.items():
        print(f'{f"{key} = {value!r}":<{min(width, 80)}}  # {origin}')
    print(f'work_dir = {cfg.work_dir!r}')


if __name__ == '__main__':
    cli.main(build_parser, run)
