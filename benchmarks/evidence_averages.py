"""Ensembles and a model soup, of the baseline heads of tools/ablate.py --cache-features.

Adds the study `averages` to the raw results of benchmarks.evidence. Where an experiment has several
models, their pixels are counted together, so that it is compared with the mean of them.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, positive_number

from .evidence_heads import (
    Photo,
    add_arguments,
    build_model,
    count_pixels,
    each_fold,
    find_heads,
    head_weights,
    predict,
    save_study,
)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.evidence_averages',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.evidence_averages work_dirs/frozen/frozen_head \\\n'
        '      configs/ablation/frozen_head.py --nested work_dirs/nested --folds-dir DATA/folds '
        '--data-root DATA',
    )
    add_arguments(parser)
    parser.add_argument(
        '--nested',
        type=existing_dir,
        metavar='DIR',
        required=True,
        help='has for each fold a folder of its number, of trainings on folds of its training set',
    )
    parser.add_argument('--lr-factor', type=positive_number, default=3.0, help='of the members (3)')
    return parser


def run(args) -> None:
    """Measure, and replace the study in the file of results."""
    torch.set_num_threads(1)
    model, classes = build_model(args)
    found = []
    for fold, photos, states in each_fold(model, args):
        inner = find_heads(Path(args.nested) / str(fold) / Path(args.heads).name)
        members = [head_weights(path) for path in inner.values()]
        if not members:
            print(f'fold {fold}: {args.nested} has no k-fold ensemble of it')
        measured = measure_fold(model, photos, states, members, args.lr_factor, classes)
        found += [
            dict(arm=arm, fold=fold, seed=0, lr_factor=None, confusion=confusion.tolist())
            for arm, confusion in measured.items()
        ]
    save_study(args.results, 'averages', found)


def measure_fold(
    model: nn.Module,
    photos: list[Photo],
    states: Mapping[tuple[int, float], dict[str, Tensor]],
    members: list[dict[str, Tensor]],
    factor: float,
    classes: int,
) -> dict[str, np.ndarray]:
    """Return the confusion matrix of each experiment on one fold.

    Args:
        model: Gets the heads' weights.
        photos: Validation photos.
        states: Heads by seed and factor of the learning rate, trained on all other photos. The soup
            is of seed 0, if it has several factors.
        members: Heads that were each trained without another part of the other photos; may be none.
        factor: Learning rate of the heads whose probabilities are averaged.
        classes: Number of classes.
    """
    chosen = {seed: state for (seed, rate), state in states.items() if rate == factor}
    seeds = {seed: predict(model, state, photos)[0] for seed, state in chosen.items()}
    ensemble = np.mean([*seeds.values()], axis=0)
    predictions = dict(plain=[*seeds.values()], first_seed=[seeds[0]], ensemble=[ensemble])
    rates = [state for (seed, _), state in states.items() if seed == 0]
    if len(rates) > 1:
        predictions['soup'] = [predict(model, average_weights(rates), photos)[0]]
    if members:
        parts = [predict(model, state, photos)[0] for state in members]
        predictions |= dict(fold_member=parts, fold_ensemble=[np.mean(parts, axis=0)])
    return {
        arm: sum(count_pixels(photos, one.argmax(axis=1), classes).sum(axis=0) for one in several)
        for arm, several in predictions.items()
    }


def average_weights(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each weight (Wortsman et al., ICML 2022); counters are cut to integers."""
    return {
        name: torch.stack([state[name].float() for state in states]).mean(dim=0).to(value.dtype)
        for name, value in states[0].items()
    }


if __name__ == '__main__':
    cli.main(build_parser, run)
