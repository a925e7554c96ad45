"""Choose the settings of the shipped models by cross-validation within their training photos.

No photo that the cards are measured on takes part: `samples/recycle_trash/train.json` and
`data/garbage6_folds/kfold_0_train.json` are split again, and each candidate is trained on a part of
both and measured on the rest.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from mmseg_custom import cli
from mmseg_custom.cli import positive_int, positive_number

MEASURE = 'benchmarks/scores_at_sizes.py'
CONFIG = 'configs/laptop_efflite0_joined.py'
SETS = ('contest', 'garbage6')
MEASURES = ((0, 'mIoU'), (0, 'foreground_IoU'), (1, 'mIoU'))
# Longer side of the photos in pixels while measuring; the first is the config's.
SIZES = (320, 256, 416)
SOURCES = ('samples/recycle_trash/train.json', 'data/garbage6_folds/kfold_0_train.json')
DATASETS = 'train_dataloader.dataset.datasets'
SMALL = [
    f'{DATASETS}.{place}.pipeline.{step}={value}'
    for place in (0, 1)
    for step, value in (('1.scale', '(256,256)'), ('2.size', '(224,224)'))
]
FEW = ['train_dataloader.sampler.source_ratio=[3,5]']
AVERAGE = ['--option', 'ema']
# Options of train.py and changes of the config, by name.
CANDIDATES: dict[str, tuple[list[str], list[str]]] = {
    'crops of 224, 3 of 8 from the contest': ([], [*SMALL, *FEW]),
    'crops of 224, 3 of 8 from the contest, average': (AVERAGE, [*SMALL, *FEW]),
    'crops of 288, 3 of 8 from the contest, average': (AVERAGE, FEW),
    'crops of 288, 5 of 8 from the contest, average': (AVERAGE, []),
}


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.shipped_recipe',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.shipped_recipe --jobs 3',
    )
    parser.add_argument('--folds', type=positive_int, default=2, help='of four, to measure on (2)')
    parser.add_argument('--iterations', type=positive_int, default=400, help='of each (400)')
    parser.add_argument('--jobs', type=positive_int, default=1, help='trainings at once (1)')
    parser.add_argument(
        '--seconds', type=positive_number, help='begin no training after so many (no limit)'
    )
    parser.add_argument('--amp', action='store_true', help='half precision')
    parser.add_argument('--out', default='work_dirs/shipped_recipe', help='folder of the trainings')
    return parser


def run(args) -> None:
    """Train and measure what is not done, and write the scores."""
    from mmseg_custom.utils import write_json

    from .steps import Steps, Tools

    out, began, tools = Path(args.out), time.monotonic(), Tools()
    for name, source in zip(SETS, SOURCES, strict=True):
        if not (out / name / 'kfold_3_val.json').is_file():
            split = [source, '--folds', '4', '--group-duplicates', '--out', out / name]
            tools.run('data_prep/stratified_kfold.py', split, out / f'{name}.log')

    def step(name: str, fold: int) -> None:
        folder = folder_of(out, fold, name)
        result = folder / 'scores.json'
        if result.is_file() or (args.seconds and time.monotonic() - began > args.seconds):
            return
        command = training(name, fold, out, folder, args)
        tools.run('tools/train.py', command, folder / 'train.log')
        files = [out / each / f'kfold_{fold}_val.json' for each in SETS]
        measured = [folder / f'iter_{args.iterations}.pth', *files, '--sizes', *SIZES]
        tools.run(MEASURE, [*measured, '--out', result], folder / 'measure.log')

    steps = Steps(args.jobs)
    for fold in range(args.folds):
        for name in CANDIDATES:
            steps.add(f'{fold} {name}', lambda name=name, fold=fold: step(name, fold))
    failed = steps.run(lambda name: print(f'{time.monotonic() - began:5.0f} s  {name}', flush=True))
    tools.close()
    for name, why in failed.items():
        print(f'{name}: {why}', file=sys.stderr)
    found = scores_of_folds(out, args.folds)
    write_json(out / 'scores.json', found)
    for name, values in found.items():
        means = {measure: round(float(np.mean(each)), 1) for measure, each in values.items()}
        print(f'{name:55s} {means}')


def training(name: str, fold: int, out: Path, folder: Path, args) -> list[str]:
    """Return the arguments of train.py for a candidate and an inner fold."""
    options, changes = CANDIDATES[name]
    inner = []
    for place, each in enumerate(SETS):
        inner += [
            f'{DATASETS}.{place}.dataset.data_root={out / each}/',
            f'{DATASETS}.{place}.dataset.ann_file=kfold_{fold}_train.json',
        ]
    for part in ('val', 'test'):
        inner += [
            f'{part}_dataloader.dataset.data_root={out / "contest"}/',
            f'{part}_dataloader.dataset.ann_file=kfold_{fold}_val.json',
            *in_one_process(part),
        ]
    work = ['--work-dir', str(folder), '--seed', str(fold), *options]
    work.append('--amp' if args.amp else '--no-amp')
    length = length_options(args.iterations)
    return [CONFIG, *work, '--cfg-options', *length, *in_one_process('train'), *inner, *changes]


def in_one_process(part: str) -> list[str]:
    """Return changes by which a training loads its photos itself: best for many at once."""
    return [f'{part}_dataloader.num_workers=0', f'{part}_dataloader.persistent_workers=False']


def length_options(iterations: int, warm_up: int = 50) -> list[str]:
    """Return changes that give a training its length, and at most half of it as warm-up."""
    warm_up = max(1, min(warm_up, iterations // 2))
    keys = ('train_cfg.max_iters', 'train_cfg.val_interval', 'param_scheduler.1.end')
    return [
        'default_hooks.checkpoint.save_best=None',
        'default_hooks.checkpoint.max_keep_ckpts=1',
        'default_hooks.checkpoint.save_optimizer=False',
        f'default_hooks.checkpoint.interval={iterations}',
        f'param_scheduler.0.end={warm_up}',
        f'param_scheduler.1.begin={warm_up}',
        *(f'{key}={iterations}' for key in keys),
    ]


def scores_of_folds(out: Path, folds: int) -> dict[str, dict[str, list[float]]]:
    """Return the scores of each candidate and size in each fold, best mean first.

    Those that are not measured on every fold are left out.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for name in CANDIDATES:
        files = [folder_of(out, fold, name) / 'scores.json' for fold in range(folds)]
        if not all(file.is_file() for file in files):
            continue
        scores = [json.loads(file.read_text(encoding='utf-8')) for file in files]
        for size in map(str, SIZES):
            found[f'{name} @ {size}'] = {
                # By annotation file, in the order of the sets.
                f'{SETS[place]} {key.replace("_", " ")}': [
                    list(each[size].values())[place][key] for each in scores
                ]
                for place, key in MEASURES
            }
    return dict(sorted(found.items(), key=lambda pair: -np.mean(list(pair[1].values()))))


def folder_of(out: Path, fold: int, name: str) -> Path:
    """Return the work folder of a candidate."""
    return out / f'fold_{fold}' / name.replace(', ', '_').replace(' ', '-')


if __name__ == '__main__':
    cli.main(build_parser, run)
