"""Write the table of docs/model_zoo.md: what each experiment is, costs, and is known to reach.

Parameters and multiplications come from the config, licenses of timm's weights from timm; what
was published, and what we measured, is in model_zoo.yaml beside this file.
"""

import argparse
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import torch
import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

import mmseg_custom.plugins  # noqa: F401
from mmseg_custom.utils import atomic_path, write_json

from .training_steps import build, config_of, cpu_step, gpu_step, size_of
from .zoo import NAMES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'model_zoo.md'
COSTS = Path(__file__).with_name('model_zoo.json')
BEGIN, END = '<!-- written by benchmarks/model_zoo.py -->', '<!-- end -->'
HEADER = (
    'config | parameters | GMACs | weights | license | published mIoU | ours | CPU step | GPU step',
    '---|---:|---:|---|---|---|---|---|---',
)


def weights_of(cfg: Config) -> tuple[str, str | None]:
    """Return the name of the weights that an experiment begins with, and their license in timm."""
    backbone = cfg.model.backbone
    checkpoint = (backbone.get('init_cfg') or {}).get('checkpoint')
    if backbone.type == 'TimmFeatures':
        import timm

        return f'timm {backbone.model_name}', timm.get_pretrained_cfg(backbone.model_name).license
    if backbone.type == 'SMPModel':
        return f'{backbone.encoder} ({backbone.pretrained})', None
    package = getattr(MODELS.get(backbone.type), 'package', None)
    if package:
        return package.replace('_', '-'), None
    name = checkpoint or backbone.get('pretrained')
    return (str(name).rsplit('/', 1)[-1] if checkpoint else name) or 'none', None


@torch.no_grad()
def count(name: str) -> dict:
    """Return the parameters of a model, in millions, and its GMACs for one photo.

    Shapes decide, so that nothing is computed.
    """
    cfg, model = build(name)
    model.eval().to('meta')
    for module in model.modules():
        if hasattr(module, 'attn_mask_probs'):
            # EoMT looks at them; at the end of a training they are zeros.
            module.attn_mask_probs = torch.zeros(module.attn_mask_probs.shape)
    divisor = cfg.model.data_preprocessor.get('size_divisor') or 1
    side = -(-size_of(cfg) // divisor) * divisor
    with torch.device('meta'), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side))
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    return dict(parameters=round(millions, 1), gmacs=round(counter.get_total_flops() / 2e9, 1))


def in_processes(
    function: Callable[[str], dict], names: Sequence[str], jobs: int = 1
) -> Iterator[tuple[str, dict]]:
    """Call a function in a process for each name, whose peak memory is that of one model.

    What fails is printed and left out, as is a model whose process is killed for its memory.
    """
    with ThreadPoolExecutor(jobs) as waiting:
        results = [(name, waiting.submit(_in_process, function, name)) for name in names]
        for name, result in results:
            try:
                yield name, result.result()
            except Exception as error:
                print(f'{name}: was not measured: {error!r}', flush=True)


def _in_process(function: Callable[[str], dict], name: str) -> dict:
    # Importing libraries may start CUDA, which a forked process cannot use.
    spawning = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, spawning, init_default_scope, ('mmseg',)) as pool:
        return pool.submit(function, name).result()


def add_missing(
    costs: dict,
    function: Callable[[str], dict],
    key: str,
    names: Sequence[str] = (),
    jobs: int = 1,
) -> None:
    """Add what a function returns for the experiments named, or else for all that lack ``key``."""
    wanted = names or [name for name in NAMES if key not in costs.get(name, {})]
    for name, cost in in_processes(function, wanted, jobs):
        costs.setdefault(name, {})
        costs[name] |= cost
        print(name, costs[name], flush=True)
        write_json(COSTS, costs)


def row(name: str, cost: dict, known: dict) -> str:
    """Return one line of the table."""
    weights, license = weights_of(config_of(name))
    facts: dict = {}
    for prefix in sorted(known, key=len):
        if name.startswith(prefix):
            facts |= known[prefix]
    step = f'{cost["seconds"]} s, {cost["gigabytes"]} GB' if 'seconds' in cost else ''
    gpu = cost.get('gpu')
    memory = f'{gpu["batch"]} x {gpu["side"]} px: {gpu["gigabytes"] or "over 80"} GB' if gpu else ''
    cells = (
        f'`{name}.py`',
        f'{cost["parameters"]} M',
        f'{cost["gmacs"]}',
        weights,
        license or facts.get('license', ''),
        facts.get('published', ''),
        facts.get('ours', ''),
        step,
        memory,
    )
    return ' | '.join(cells)


def table(costs: dict) -> str:
    """Return the table as Markdown."""
    known = yaml.safe_load(Path(__file__).with_name('model_zoo.yaml').read_text(encoding='utf-8'))
    lines = [*HEADER, *(row(name, costs[name], known) for name in NAMES)]
    return '\n'.join(f'| {line} |' for line in lines)


def main(argv: list[str] | None = None) -> None:
    """Count what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--measure',
        nargs='*',
        metavar='NAME',
        help='time a step of these; without names, of all that were not timed before',
    )
    parser.add_argument(
        '--gpu',
        nargs='*',
        metavar='NAME',
        help='measure the GPU memory of these at batch and size as shipped; without names, of all '
        'that were not measured before',
    )
    parser.add_argument('--jobs', type=int, default=1, help='experiments at a time on the GPU (1)')
    args = parser.parse_args(argv)
    init_default_scope('mmseg')
    costs = json.loads(COSTS.read_text()) if COSTS.exists() else {}
    add_missing(costs, count, 'parameters')
    if args.measure is not None:
        add_missing(costs, cpu_step, 'seconds', args.measure)
    if args.gpu is not None:
        add_missing(costs, gpu_step, 'gpu', args.gpu, args.jobs)
    write_json(COSTS, costs)
    text = PAGE.read_text(encoding='utf-8')
    head, _, rest = text.partition(BEGIN)
    with atomic_path(PAGE) as temporary:
        tail = rest.partition(END)[2]
        Path(temporary).write_text(f'{head}{BEGIN}\n{table(costs)}\n{END}{tail}', encoding='utf-8')


if __name__ == '__main__':
    main()
