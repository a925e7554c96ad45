"""How time and memory grow with the number of images, each measured in a process of its own.

All but ``start-up`` and ``sampler`` are the complete commands. CPU times are those of all their
processes; memory is that of all of them together at the peak, pages that they share counted once.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from math import log
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

from .memory import memory_of, peak_of_process, with_children
from .scale_works import ROOT, WORKS, write_set

SIZES = (10_000, 100_000, 500_000)
# Seconds between two looks at the memory.
PERIOD = 1.0


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

    from .plot import draw_scale

    sizes = sorted(set(args.sizes))
    measured = {name: [] for name in args.works}
    for images in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = write_set(Path(folder, 'set'), images)
            there = set(path.parent.iterdir())
            for name in args.works:
                measured[name].append(in_process(name, path))
                print(f'{name}, {images} images: {describe(measured[name][-1])}', flush=True)
                remove_others(path.parent, there)
    curves = {name: curve(sizes, points) for name, points in measured.items()}
    for name, found in curves.items():
        print(f'{name}: grows with the exponents {found["exponents"]} (1 is linear)')
    write_json(args.out, curves)
    draw_scale(Path(args.out).with_suffix('.png'), curves)


def remove_others(folder: Path, kept: set[Path]) -> None:
    """Remove what a command has written, which takes gigabytes."""
    for path in set(folder.iterdir()) - kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


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
        of the work, ``cpu_seconds`` of all its processes, ``mebibytes`` of them together at the
        peak.
    """
    code = f'from benchmarks.scale import measure; measure({name!r}, {str(path)!r})'
    # The same clock in both processes.
    start = time.time()
    together = 0.0
    with subprocess.Popen(
        [sys.executable, '-c', code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            together = max(together, memory_of(with_children(process.pid)))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PERIOD)
        printed = process.stdout.read()
    if process.returncode:
        raise RuntimeError(f'{name} ended with exit code {process.returncode}')
    found = json.loads(printed.splitlines()[-1])
    found['mebibytes'] = max(found['mebibytes'], together)
    return dict(found, process_seconds=found.pop('ended') - start)


def measure(name: str, path: str) -> None:
    """Do one work and print what it took as JSON."""
    prepare, work = WORKS[name]
    prepare()
    start, before = time.perf_counter(), sum(os.times()[:4])
    work(path)
    took = dict(seconds=time.perf_counter() - start, ended=time.time())
    took['cpu_seconds'] = sum(os.times()[:4]) - before
    print(json.dumps(dict(took, mebibytes=peak_of_process())))


if __name__ == '__main__':
    cli.main(build_parser, run)
