"""Whether each experiment of the zoo, exported to ONNX, gives what PyTorch gives.

Models have random weights of full width; masks and probabilities are compared on photos of sizes
that the export has not seen.
"""

import tempfile
import time
from pathlib import Path

from mmseg_custom import cli

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(path.stem for path in (ROOT / 'configs').glob('*_trash.py'))
HEAD = (
    '| experiment | file, MB | largest difference | same class, % | export, s |\n'
    '|---|---:|---:|---:|---:|'
)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.parity',
        description='Export experiments and compare them with PyTorch: a table in Markdown.',
        example='python -m benchmarks.parity laptop_efflite0_trash segformer_b0_trash',
    )
    parser.add_argument('names', nargs='*', metavar='NAME', help='experiments (all)')
    parser.add_argument('--out', default='work_dirs/parity.md', help='where to write the table')
    return parser


def run(args) -> int:
    """Compare one after the other; each row is written as it comes."""
    from mmseg_custom.utils import UserError, atomic_path

    unknown = sorted(set(args.names) - set(NAMES))
    if unknown:
        raise UserError(f'{unknown[0]}: no experiment of the zoo; they are {", ".join(NAMES)}')
    rows, refused = [HEAD], 0
    print(HEAD)
    for name in args.names or NAMES:
        try:
            rows.append(row_of(name))
        except UserError as error:
            refused += 1
            rows.append(f'| {name} | refused: {error} | | | |')
        print(rows[-1], flush=True)
        with atomic_path(args.out) as temporary:
            temporary.write_text('\n'.join(rows) + '\n', encoding='utf-8')
    print(f'{len(rows) - 1 - refused} of {len(rows) - 1} experiments export; wrote {args.out}')
    return int(bool(refused))


def row_of(name: str) -> str:
    """Return the row of one experiment."""
    import torch

    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.apis.export import export_onnx, sizes_for
    from mmseg_custom.apis.onnx_segmenter import OnnxSegmenter
    from mmseg_custom.apis.parity import compare, random_photos
    from mmseg_custom.experiment.config import drop_pretrained, load_config
    from mmseg_custom.utils import UserError

    cfg = load_config(str(ROOT / 'configs' / f'{name}.py'))
    drop_pretrained(cfg.model)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, file = Path(folder, 'random.pth'), Path(folder, 'model.onnx')
        torch.manual_seed(0)
        torch.save(dict(state_dict=_build(cfg).state_dict()), checkpoint)
        segmenter = TrashSegmenter(cfg, checkpoint, device='cpu')
        start = time.perf_counter()
        export_onnx(segmenter, file)
        seconds = time.perf_counter() - start
        parity = compare(segmenter, OnnxSegmenter(file), random_photos(sizes_for(segmenter)[1:]))
        if not parity.holds:
            raise UserError(str(parity))
        size = file.stat().st_size / 1e6
    difference = parity.difference or 0.0
    return f'| {name} | {size:.1f} | {difference:.1e} | {100 * parity.equal:.3f} | {seconds:.0f} |'


def _build(cfg):
    """Build a model with its own random initialization."""
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    init_default_scope('mmseg')
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model


if __name__ == '__main__':
    cli.main(build_parser, run)
