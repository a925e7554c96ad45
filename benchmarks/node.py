"""Time and memory of one set in several processes of a node, as eight ranks of a training open it.

Memory is the sum of the proportional set sizes (a page that eight processes map counts once), the
most that was seen at any moment; what the imports take is named apart.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

from .memory import memory_of

ROOT = Path(__file__).resolve().parents[1]
# A rank: says that it has imported, waits for a line, opens the set, and waits for another.
RANK = """
import os, sys, time
from mmseg_custom.datasets import TrashCocoDataset
print('imported', flush=True)
sys.stdin.readline()
start = time.process_time()
dataset = TrashCocoDataset(sys.argv[1], data_root=os.path.dirname(sys.argv[1]))
sample = dataset.get_data_info(len(dataset) - 1)
print(time.process_time() - start, flush=True)
sys.stdin.readline()
"""


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.node',
        description='Measure a set in several processes of one node.',
        example='python -m benchmarks.node --images 10000',
    )
    parser.add_argument('--images', type=positive_int, default=500_000, metavar='N')
    parser.add_argument('--processes', type=positive_int, default=8, metavar='N')
    return parser


def run(args) -> None:
    """Measure and print."""
    from .annotations import write_annotations

    with tempfile.TemporaryDirectory() as folder:
        path = write_annotations(Path(folder, 'set'), args.images)
        print(json.dumps(dict(images=args.images, **measure(path, args.processes))))


def measure(path: Path, processes: int) -> dict[str, float]:
    """Open one set in several processes.

    Args:
        path: The annotation file.
        processes: How many.

    Returns:
        dict[str, float]: ``seconds`` until the last has it, ``cpu_seconds`` of all, and MiB:
        ``imported`` before, ``peak`` and ``after``.
    """
    command = [sys.executable, '-c', RANK, str(path)]
    environment = dict(os.environ, LOCAL_WORLD_SIZE=str(processes))
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ranks = [
        subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) for _ in range(processes)
    ]
    for rank in ranks:
        rank.stdout.readline()
    imported = peak = memory_of(rank.pid for rank in ranks)
    start = time.perf_counter()
    for rank in ranks:
        rank.stdin.write('\n')
        rank.stdin.flush()
    waiting, cpu_seconds = list(ranks), 0.0
    for rank in ranks:
        os.set_blocking(rank.stdout.fileno(), False)
    while waiting:
        for rank in list(waiting):
            if line := rank.stdout.readline():
                cpu_seconds += float(line)
                waiting.remove(rank)
        peak = max(peak, memory_of(rank.pid for rank in ranks))
        time.sleep(0.5)
    found = dict(seconds=time.perf_counter() - start, cpu_seconds=cpu_seconds, imported=imported)
    found |= dict(peak=peak, after=memory_of(rank.pid for rank in ranks))
    for rank in ranks:
        rank.communicate('\n')
    return {key: round(value, 1) for key, value in found.items()}


if __name__ == '__main__':
    cli.main(build_parser, run)
