"""Write the table of docs/model_zoo.md: what each experiment is, costs, and is known to reach.

Parameters and multiplications come from the config, licenses of timm's weights from timm; what
was published, and what we measured, is in model_zoo.yaml beside this file.
"""

import argparse
import io
import json
import multiprocessing
import resource
import time
from contextlib import redirect_stdout
from pathlib import Path

import torch
import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch.utils.flop_counter import FlopCounterMode

import mmseg_custom.plugins  # noqa: F401
from mmseg_custom.experiment.config import drop_pretrained, set_amp
from mmseg_custom.utils import atomic_path, write_json

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'model_zoo.md'
COSTS = Path(__file__).with_name('model_zoo.json')
BEGIN, END = '<!-- written by benchmarks/model_zoo.py -->', '<!-- end -->'
SIDE = 512
HEADER = (
    'config | parameters | GMACs | weights | license | published mIoU | ours | one iteration',
    '---|---:|---:|---|---|---|---|---',
)


def experiments() -> list[str]:
    """Return the names of the configs of the zoo."""
    return sorted(path.stem for path in (ROOT / 'configs').glob('*_trash.py'))


def config_of(name: str) -> Config:
    """Return an experiment as it is shipped."""
    return Config.fromfile(str(ROOT / 'configs' / f'{name}.py'))


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


def build(name: str):
    """Return the experiment's model with random weights."""
    cfg = config_of(name)
    drop_pretrained(cfg.model)
    with redirect_stdout(io.StringIO()):
        return cfg, MODELS.build(cfg.model)


def size_of(cfg: Config) -> int:
    """Return the side of the photos that a model takes, in pixels."""
    size = cfg.model.data_preprocessor.get('size')
    return size[0] if size else SIDE


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


def measure(name: str) -> dict:
    """Return seconds of CPU time and peak memory (GB) of a training step on two photos."""
    from mmengine.optim import build_optim_wrapper

    cfg, model = build(name)
    set_amp(cfg.optim_wrapper, False)
    wrapper = build_optim_wrapper(model.train(), cfg.optim_wrapper)
    side = size_of(cfg)
    labels = PixelData(data=torch.randint(0, 11, (1, side, side)))
    sample = SegDataSample(metainfo=dict(img_shape=(side, side)), gt_sem_seg=labels)
    photos = [torch.zeros(3, side, side, dtype=torch.uint8) for _ in range(2)]
    begin = time.process_time()
    model.train_step(dict(inputs=photos, data_samples=[sample, sample]), wrapper)
    seconds = time.process_time() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return dict(seconds=round(seconds, 1), gigabytes=round(memory, 1))


def in_process(function, name: str) -> dict:
    """Call a function in a process of its own, whose peak memory is that of one model."""
    with multiprocessing.get_context('fork').Pool(1) as pool:
        return pool.apply(function, (name,))


def row(name: str, cost: dict, known: dict) -> str:
    """Return one line of the table."""
    weights, license = weights_of(config_of(name))
    facts: dict = {}
    for prefix in sorted(known, key=len):
        if name.startswith(prefix):
            facts |= known[prefix]
    step = f'{cost["seconds"]} s, {cost["gigabytes"]} GB' if 'seconds' in cost else ''
    cells = (
        f'`{name}.py`',
        f'{cost["parameters"]} M',
        f'{cost["gmacs"]}',
        weights,
        license or facts.get('license', ''),
        facts.get('published', ''),
        facts.get('ours', ''),
        step,
    )
    return ' | '.join(cells)


def table(costs: dict) -> str:
    """Return the table as Markdown."""
    known = yaml.safe_load(Path(__file__).with_name('model_zoo.yaml').read_text(encoding='utf-8'))
    lines = [*HEADER, *(row(name, costs[name], known) for name in experiments())]
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
    args = parser.parse_args(argv)
    init_default_scope('mmseg')
    costs = json.loads(COSTS.read_text()) if COSTS.exists() else {}
    for name in experiments():
        if name not in costs:
            costs[name] = in_process(count, name)
            print(name, costs[name], flush=True)
    untimed = [name for name in experiments() if 'seconds' not in costs[name]]
    for name in [] if args.measure is None else args.measure or untimed:
        costs[name] |= in_process(measure, name)
        print(name, costs[name], flush=True)
        write_json(COSTS, costs)
    write_json(COSTS, costs)
    text = PAGE.read_text(encoding='utf-8')
    head, _, rest = text.partition(BEGIN)
    with atomic_path(PAGE) as temporary:
        tail = rest.partition(END)[2]
        Path(temporary).write_text(f'{head}{BEGIN}\n{table(costs)}\n{END}{tail}', encoding='utf-8')


if __name__ == '__main__':
    main()
