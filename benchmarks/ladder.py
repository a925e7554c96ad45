"""The ladder of small models: time, memory, size and score of each, in float and in 8 bits.

Photos of 512 pixels, one thread, one photo at a time, a process of its own for each file. Models
without published weights get random ones, which cost the same time; their score is "not trained".
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmseg_custom import cli

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / 'samples' / 'recycle_trash'
SHIPPED = 'weights/trash11'
MODELS = (
    SHIPPED,
    'laptop_mobilenetv2_trash',
    'laptop_efflite0_trash',
    'laptop_efflite1_trash',
    'laptop_efflite2_trash',
    'segformer_b0_trash',
)
# Layers of a model without a score that stay in float: as many as usually are enough.
FLOATING = 8
MOST_LOSS = 0.5
CALIBRATED = 20
HEAD = (
    '| model | numbers | p50, ms | p99, ms | processor, ms | memory, MB | file, MB | mIoU |\n'
    '|---|---|---:|---:|---:|---:|---:|---:|'
)
# Runs one file and prints milliseconds of wall and processor, and the peak of memory.
MEASURE = """
import json, re, sys, time
import numpy as np
from mmseg_custom.apis.exported_formats import load_exported
segmenter = load_exported(sys.argv[1])
photo = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
for _ in range(5):
    segmenter(photo)
wall, processor = [], []
for _ in range(int(sys.argv[2])):
    start, used = time.perf_counter(), time.process_time()
    segmenter(photo)
    wall.append(1e3 * (time.perf_counter() - start))
    processor.append(1e3 * (time.process_time() - used))
# Not getrusage, whose peak is that of the process that started this one, too.
memory = int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1e3
print(json.dumps(dict(p50=float(np.percentile(wall, 50)), p99=float(np.percentile(wall, 99)),
                      processor=float(np.median(processor)), memory=memory)))
"""


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.ladder',
        description='Measure small models in float and int8: a table in Markdown.',
        example='python -m benchmarks.ladder weights/trash11 laptop_mobilenetv2_trash',
    )
    parser.add_argument('models', nargs='*', metavar='MODEL', help=f'{", ".join(MODELS)} (all)')
    parser.add_argument('--runs', type=cli.positive_int, default=100, help='photos (100)')
    parser.add_argument('--out', default='work_dirs/ladder.md', help='where to write the table')
    return parser


def run(args: argparse.Namespace) -> None:
    """Measure one model after the other; each row is written as it comes."""
    from mmseg_custom.utils import UserError, atomic_path

    unknown = sorted(set(args.models) - set(MODELS))
    if unknown:
        raise UserError(f'{unknown[0]}: is no model of the ladder: {", ".join(MODELS)}')
    rows = [HEAD]
    print(HEAD)
    for model in args.models or MODELS:
        for row in rows_of(model, args.runs):
            rows.append(row)
            print(row, flush=True)
            with atomic_path(args.out) as temporary:
                temporary.write_text('\n'.join(rows) + '\n', encoding='utf-8')
    print(f'wrote {args.out}')


def rows_of(model: str, runs: int) -> list[str]:
    """Return the rows of one model in float and in 8 bits."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.apis.export import export_onnx
    from mmseg_custom.apis.int8 import StaticQuantizer
    from mmseg_custom.prediction.photo_sources import list_photos

    from .random_models import segmenter_of

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = folder / 'float.onnx', folder / 'int8.onnx'
        if model == SHIPPED:
            export_onnx(TrashSegmenter(ROOT / SHIPPED, device='cpu'), files[0])
        else:
            export_onnx(segmenter_of(model, folder), files[0])
        photos = [photo.read() for photo in list_photos([SAMPLES / 'train.json'])]
        quantizer = StaticQuantizer(files[0], photos[:CALIBRATED])
        scores: Sequence[float | None] = (None, None)
        if model == SHIPPED:
            scores = quantized_scores(quantizer, *files)
        else:
            quantizer.write(files[1], quantizer.layers[:FLOATING])
        return [
            row_of(Path(model).name, file, score, measure(file, runs))
            for file, score in zip(files, scores, strict=True)
        ]


def quantized_scores(quantizer, exact: Path, target: Path) -> tuple[float, float]:
    """Write the quantized model, and return the mIoU of both on the held-back samples."""
    from mmseg_custom.apis.exported_formats import load_exported
    from mmseg_custom.apis.int8 import quantize_within
    from mmseg_custom.prediction.model_loss import ModelLoss

    loss = ModelLoss(load_exported(exact), [], SAMPLES / 'val.json')
    _, lost = quantize_within(quantizer, target, loss, MOST_LOSS)
    return loss.before, loss.before - lost


def measure(file: Path, runs: int) -> dict[str, float]:
    """Run a file in a process of its own, with one thread."""
    command = [sys.executable, '-c', MEASURE, str(file), str(runs)]
    variables = dict(os.environ, OMP_NUM_THREADS='1')
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT, env=variables)
    return json.loads(done.stdout)


def row_of(model: str, file: Path, score: float | None, found: Mapping[str, Any]) -> str:
    """Return one row."""
    numbers = [f'{found[key]:.0f}' for key in ('p50', 'p99', 'processor', 'memory')]
    megabytes = f'{file.stat().st_size / 1e6:.1f}'
    miou = 'not trained' if score is None else f'{score:.1f}'
    return f'| {model} | {file.stem} | {" | ".join(numbers)} | {megabytes} | {miou} |'


if __name__ == '__main__':
    cli.main(build_parser, run)
