"""How time and memory grow with the number of images, each measured in a process of its own.

The photos are empty files: start-up only looks whether they are there, and nothing else here reads
them. ``k-fold``, ``check``, ``oversample`` and ``statistics`` are the complete commands.
"""

import contextlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from math import log
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

SIZES = (1000, 10_000, 100_000)
ROOT = Path(__file__).resolve().parents[1]


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.scale',
        description='Measure how time and memory grow with the number of images.',
        example='python -m benchmarks.scale --sizes 1000 10000',
    )
    parser.add_argument('--sizes', type=positive_int, nargs='+', default=SIZES, metavar='IMAGES')
    parser.add_argument('--works', nargs='+', choices=WORKS, default=list(WORKS), help='only these')
    parser.add_argument(
        '--out',
        default='work_dirs/scale.json',
        help='where to write; the picture gets the same name with .png',
    )
    return parser


def run(args) -> None:
    """Measure, print, and write numbers and curves."""
    from mmseg_custom.utils import write_json

    from .annotations import write_annotations
    from .plot import draw_scale

    sizes = sorted(set(args.sizes))
    measured = {name: [] for name in args.works}
    for images in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = write_annotations(Path(folder, 'set'), images)
            for name in args.works:
                measured[name].append(in_process(name, path))
                print(f'{name}, {images} images: {describe(measured[name][-1])}', flush=True)
    curves = {name: curve(sizes, points) for name, points in measured.items()}
    for name, found in curves.items():
        print(f'{name}: grows with the exponents {found["exponents"]} (1 is linear)')
    write_json(args.out, curves)
    draw_scale(Path(args.out).with_suffix('.png'), curves)


def describe(point: dict) -> str:
    """Say what was measured in one process."""
    return (
        f'{point["seconds"]:.2f} s ({point["process_seconds"]:.2f} s with Python and its imports), '
        f'{point["cpu_seconds"]:.2f} s of CPU, {point["mebibytes"]:.0f} MiB at most'
    )


def curve(sizes: list[int], points: list[dict]) -> dict:
    """Join what was measured, and find the exponent of growth between neighboring sizes.

    It is that of the CPU time, which depends less than seconds on what else the machine does.

    Args:
        sizes: Numbers of images, ascending.
        points: What :func:`in_process` returned for each.
    """
    columns = {key: [point[key] for point in points] for key in points[0]}
    # The clock's step: a small set can take none.
    seconds = [max(value, 0.01) for value in columns['cpu_seconds']]
    steps = zip(pairwise(sizes), pairwise(seconds), strict=True)
    exponents = [round(log(b / a) / log(n / m), 2) for (m, n), (a, b) in steps]
    return dict(images=sizes, **columns, exponents=exponents)


def in_process(name: str, path: Path) -> dict:
    """Measure one work in a process of its own.

    Args:
        name: One of ``WORKS``.
        path: The annotation file.

    Returns:
        dict: ``seconds`` of the work, ``process_seconds`` from the start of the process to the end
        of the work, ``cpu_seconds`` of all its processes, ``mebibytes`` of the largest process at
        its peak.
    """
    code = f'from benchmarks.scale import measure; measure({name!r}, {str(path)!r})'
    # The same clock in both processes.
    start = time.time()
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f'{name} ended with exit code {done.returncode}')
    found = json.loads(done.stdout.splitlines()[-1])
    return dict(found, process_seconds=found.pop('ended') - start)


def measure(name: str, path: str) -> None:
    """Do one work and print what it took as JSON."""
    import resource

    prepare, work = WORKS[name]
    prepare()
    start, before = time.perf_counter(), sum(os.times()[:4])
    work(path)
    took = dict(seconds=time.perf_counter() - start, ended=time.time())
    took['cpu_seconds'] = sum(os.times()[:4]) - before
    # Linux counts in KiB, macOS in bytes.
    unit = 2**20 if sys.platform == 'darwin' else 2**10
    both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    peak = max(resource.getrusage(which).ru_maxrss for which in both) / unit
    print(json.dumps(dict(took, mebibytes=peak)))


def _import_dataset() -> None:
    import mmseg_custom.datasets  # noqa: F401


def _start(path: str) -> None:
    from mmseg_custom.datasets import TrashCocoDataset

    TrashCocoDataset(path, data_root=os.path.dirname(path))


def _sample(path: str) -> None:
    from mmseg_custom.datasets import TrashCocoDataset
    from mmseg_custom.datasets.samplers import RepeatFactorSampler

    dataset = TrashCocoDataset(path, data_root=os.path.dirname(path))
    next(iter(RepeatFactorSampler(dataset, threshold=0.1, seed=0)))


def _import_split() -> None:
    import iterstrat.ml_stratifiers  # noqa: F401

    import mmseg_custom.coco  # noqa: F401
    import mmseg_custom.coco.stats.statistics  # noqa: F401


def _command(name: str, *options: str) -> Callable[[str], None]:
    """Return a function that runs a command of ``data_prep`` on an annotation file."""

    def work(path: str) -> None:
        tool = runpy.run_path(str(ROOT / 'data_prep' / f'{name}.py'))
        out = str(Path(path).parent / name)
        words = [word.format(out=out) for word in options]
        with contextlib.redirect_stdout(sys.stderr):
            tool['run'](tool['build_parser']().parse_args([path, *words]))

    return work


# What is imported before the clock starts, and what is measured.
WORKS = {
    'start-up': (_import_dataset, _start),
    'sampler': (_import_dataset, _sample),
    'k-fold': (_import_split, _command('stratified_kfold', '--out', '{out}')),
    'statistics': (
        _import_split,
        _command('dataset_statistics', '--no-photos', '--out', '{out}'),
    ),
    'check': (_import_split, _command('check', '--no-photos')),
    'oversample': (_import_split, _command('oversample', '--out', '{out}.json')),
}

if __name__ == '__main__':
    cli.main(build_parser, run)
