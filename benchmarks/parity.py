"""Whether each experiment of the zoo, exported to each format, gives what PyTorch gives.

Models have random weights of full width; masks and probabilities are compared on photos of sizes
that the export has not seen. What has been compared is kept, and not done again.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmseg_custom import cli

from .zoo import NAMES

# Each with the package that it needs.
FORMATS = {'.onnx': 'onnxruntime', '.xml': 'openvino', '.ncnn.param': 'pnnx'}
TITLES = {'.onnx': 'ONNX', '.xml': 'OpenVINO', '.ncnn.param': 'ncnn'}


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.parity',
        description='Export experiments and compare them with PyTorch: a table in Markdown.',
        example='python -m benchmarks.parity laptop_efflite0_trash segformer_b0_trash',
    )
    parser.add_argument('names', nargs='*', metavar='NAME', help='experiments (all)')
    parser.add_argument(
        '--formats',
        nargs='+',
        choices=FORMATS,
        default=[suffix for suffix, package in FORMATS.items() if find_spec(package)],
        help='(those whose packages are installed)',
    )
    parser.add_argument(
        '--out', default='work_dirs/parity', help='folder of a JSON file for each, and table.md'
    )
    parser.add_argument('--force', action='store_true', help='compare again what has been')
    return parser


def run(args) -> int:
    """Compare one after the other; each result is written as it comes."""
    from mmseg_custom.utils import UserError

    unknown = sorted(set(args.names) - set(NAMES))
    if unknown:
        raise UserError(f'{unknown[0]}: no experiment of the zoo; they are {", ".join(NAMES)}')
    folder = Path(args.out)
    for name in args.names or NAMES:
        file = folder / f'{name}.json'
        known = json.loads(file.read_text()) if file.exists() and not args.force else {}
        if wanted := [suffix for suffix in args.formats if suffix not in known]:
            compare_experiment(name, wanted, file, known)
        print(row_of(name, json.loads(file.read_text())), flush=True)
        write_table(folder)
    refused = [path for path in folder.glob('*.json') if 'refused' in path.read_text()]
    print(f'wrote {folder / "table.md"}; {len(refused)} experiments are refused by some format')
    return int(bool(refused))


def compare_experiment(name: str, formats, file: Path, known: dict[str, Any]) -> None:
    """Export one experiment to each format, and keep what comes of it."""
    from mmseg_custom.utils import UserError, write_json

    from .random_models import count_classes, segmenter_of

    with tempfile.TemporaryDirectory() as folder:
        segmenter = segmenter_of(name, Path(folder))
        known['classes'] = count_classes(segmenter)
        for suffix in formats:
            # Stays if the libraries of a format end the process.
            known[suffix] = dict(refused='the process ended')
            write_json(file, known)
            try:
                known[suffix] = compare_format(segmenter, suffix, Path(folder))
            except UserError as error:
                known[suffix] = dict(refused=str(error))
            write_json(file, known)


def compare_format(segmenter, suffix: str, folder: Path) -> dict[str, float]:
    """Export to one format: seconds, megabytes, largest difference, and fraction of equal pixels.

    ``exact`` is the difference from the model in float64, where that in float32 is too large.

    Raises:
        UserError: The format cannot hold the model, or it gives something else.
    """
    from mmseg_custom.apis.export import export_onnx, sizes_for
    from mmseg_custom.apis.export_formats import export_ncnn, export_openvino
    from mmseg_custom.apis.exported_formats import load_exported
    from mmseg_custom.apis.parity import compare, random_photos
    from mmseg_custom.utils import UserError

    target, onnx_file = folder / f'model{suffix}', folder / 'model.onnx'
    start = time.perf_counter()
    if suffix == '.ncnn.param':
        export_ncnn(segmenter, target, half=False)
    elif not onnx_file.exists():
        export_onnx(segmenter, onnx_file)
    if suffix == '.xml':
        export_openvino(onnx_file, target, half=False)
    seconds = time.perf_counter() - start
    exported = load_exported(target)
    parity = compare(segmenter, exported, random_photos(sizes_for(segmenter)[1:]))
    if not parity.holds:
        raise UserError(str(parity))
    size = sum(file.stat().st_size for file in exported.files(target)) / 1e6
    found = dict(
        seconds=round(seconds, 1),
        megabytes=round(size, 1),
        difference=parity.difference or 0.0,
        equal=parity.equal,
    )
    if parity.exact is not None:
        found |= dict(exact=parity.exact)
    return found


def row_of(name: str, found: Mapping[str, Any]) -> str:
    """Return the row of one experiment."""
    megabytes = found.get('.onnx', {}).get('megabytes', '')
    cells = [cell_of(found.get(suffix)) for suffix in FORMATS]
    return f'| {name} | {megabytes} | {found.get("classes", "")} | {" | ".join(cells)} |'


def cell_of(result: Mapping[str, Any] | None) -> str:
    """Return how far the probabilities differ, and how many pixels have the same class."""
    if result is None:
        return ''
    if 'refused' in result:
        return f'refused: {result["refused"]}'
    exact = f' (from float64: {result["exact"]:.0e})' if 'exact' in result else ''
    return f'{result["difference"]:.0e}{exact}, {100 * result["equal"]:.3f} %'


def write_table(folder: Path) -> None:
    """Write the table of all that has been compared."""
    from mmseg_custom.utils import atomic_path

    titles = ' | '.join(TITLES[suffix] for suffix in FORMATS)
    heads = [
        f'| experiment | ONNX, MB | classes | {titles} |',
        '|---|---:|---:|' + '---|' * len(FORMATS),
    ]
    found = {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob('*.json'))}
    rows = [*heads, *(row_of(name, of_name) for name, of_name in found.items())]
    with atomic_path(folder / 'table.md') as temporary:
        temporary.write_text('\n'.join(rows) + '\n', encoding='utf-8')


if __name__ == '__main__':
    cli.main(build_parser, run)
