"""Run comparisons, print them, and write them to work_dirs/benchmarks.json with a picture."""

import dataclasses
import os
import platform
import time
from importlib import import_module
from pathlib import Path

from mmseg_custom import cli

NAMES = (
    'start_up',
    'loading',
    'pasting',
    'pipeline',
    'training',
    'metric',
    'crf',
    'pseudo_labels',
    'k_fold',
    'serving',
    'predicting',
)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks',
        description='Measure speed as ratios against named peers, on one core.',
        example='python -m benchmarks\n  python -m benchmarks crf pseudo_labels',
    )
    parser.add_argument(
        'names', nargs='*', metavar='NAME', help=f'only some of {", ".join(NAMES)} (all)'
    )
    parser.add_argument(
        '--out',
        default='work_dirs/benchmarks.json',
        help='where to write; the picture gets the same name with .png',
    )
    parser.add_argument(
        '--cpu',
        action='store_true',
        help='measure the CPU time of this process: for a busy machine; waiting is not counted',
    )
    return parser


def run(args) -> None:
    """Measure on one core, which is what a data loading worker has."""
    from mmseg_custom.utils import UserError, write_json

    unknown = sorted(set(args.names) - set(NAMES))
    if unknown:
        raise UserError(f'{unknown[0]!r} is none of the benchmarks: {", ".join(NAMES)}')
    prepare()
    from . import timing
    from .plot import draw_ratios
    from .timing import Comparison

    if args.cpu:
        timing.clock = time.process_time

    results, loads = [], []
    for name in args.names or NAMES:
        # Ratios bear some load, times do not: it is written beside them.
        load = os.getloadavg()[0]
        found = import_module(f'.{name}', __package__).run()
        for result in [found] if isinstance(found, Comparison) else found:
            loads.append(load)
            results.append(result)
            print(result, flush=True)
    content = [
        dict(dataclasses.asdict(result), load=load)
        for result, load in zip(results, loads, strict=True)
    ]
    clock = 'CPU' if args.cpu else 'elapsed'
    write_json(args.out, dict(machine=machine(), clock=clock, results=content))
    draw_ratios(Path(args.out).with_suffix('.png'), results)


def prepare() -> None:
    """Take one core, register what is built, and keep what is measured quiet."""
    import cv2
    import torch
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope

    from mmseg_custom import plugins  # noqa: F401  (registers what the benchmarks build)

    init_default_scope('mmseg')
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    MMLogger.get_instance('benchmarks', log_level='ERROR')


def machine() -> str:
    """Say what the times were measured on."""
    from importlib.metadata import version

    cpu = platform.processor() or platform.machine()
    return f'{cpu}, {os.cpu_count()} cores, torch {version("torch")}'


if __name__ == '__main__':
    cli.main(build_parser, run)
