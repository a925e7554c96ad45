"""Run all comparisons, print them, and write them to work_dirs/benchmarks.json."""

import dataclasses
import platform

import cv2
import torch
from mmengine.logging import MMLogger

import trash_cli


def build_parser() -> trash_cli.Parser:
    """Describe the command line."""
    parser = trash_cli.Parser(
        prog='python -m benchmarks',
        description='Measure speed as ratios against named peers, on one core.',
        example='python -m benchmarks',
    )
    parser.add_argument('--out', default='work_dirs/benchmarks.json', help='where to write')
    return parser


def run(args) -> None:
    """Measure on one core, which is what a data loading worker has."""
    from mmengine.registry import init_default_scope

    from mmseg_custom import plugins  # noqa: F401  (registers what the benchmarks build)
    from mmseg_custom.utils import write_json

    from . import crf, loading, metric, pasting, pseudo_labels, training

    init_default_scope('mmseg')
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    MMLogger.get_instance('benchmarks', log_level='ERROR')
    results = []
    for benchmark in (loading, metric, pasting, training, crf, pseudo_labels):
        results.append(benchmark.run())
        print(results[-1], flush=True)
    machine = f'{platform.processor() or platform.machine()}, torch {torch.__version__}'
    content = [dataclasses.asdict(result) for result in results]
    write_json(args.out, dict(machine=machine, results=content))


if __name__ == '__main__':
    trash_cli.main(build_parser, run)
