"""What is done after a training, with the baseline heads of tools/ablate.py --cache-features.

Adds the study `afterwards` to the raw results of benchmarks.evidence: mirror images, and the dense
CRF with settings chosen on other folds.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from torch import nn

from mmseg_custom import cli
from mmseg_custom.evaluation.confusion import class_ious
from mmseg_custom.postprocess import DenseCrf

from .evidence_heads import (
    Photo,
    add_arguments,
    build_model,
    count_pixels,
    each_fold,
    predict,
    save_study,
)

# For photos of 160 pixels: reach, tolerance of colors, and weight of the appearance kernel.
SETTINGS = [
    dict(gaussian_sxy=1.0, bilateral_sxy=reach, bilateral_srgb=color, bilateral_weight=weight)
    for reach, color, weight in product((10.0, 30.0), (5.0, 13.0), (3.0, 10.0))
]
KEEP = 0.5


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.evidence_afterwards',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.evidence_afterwards work_dirs/frozen/frozen_head \\\n'
        '      configs/ablation/frozen_head.py --folds-dir DATA/folds --data-root DATA',
    )
    add_arguments(parser)
    return parser


def run(args) -> None:
    """Measure, and replace the study in the file of results."""
    torch.set_num_threads(1)
    model, classes = build_model(args)
    found = []
    for fold, photos, states in each_fold(model, args):
        found += measure_fold(model, photos, states, fold, classes)
    save_study(args.results, 'afterwards', choose_settings(found))


def measure_fold(
    model: nn.Module, photos: list[Photo], states: dict, fold: int, classes: int
) -> list[dict]:
    """Return the results of one fold, those of the CRF with every setting.

    Args:
        model: Gets the heads' weights.
        photos: Validation photos.
        states: Heads by seed and factor of the learning rate.
        fold: Its number.
        classes: Number of classes.
    """
    found = []

    def add(arm: str, seed: int, masks: Sequence[np.ndarray], setting: int | None = None) -> None:
        confusion = count_pixels(photos, masks, classes).sum(axis=0)
        result = dict(arm=arm, fold=fold, seed=seed, lr_factor=None, setting=setting)
        found.append(dict(result, confusion=confusion.tolist()))

    for seed in sorted(seed for seed, factor in states if factor == 1):
        plain, mirrored = predict(model, states[seed, 1.0], photos)
        add('plain', seed, plain.argmax(axis=1))
        add('flip', seed, (plain + mirrored).argmax(axis=1))
        for number, setting in enumerate(SETTINGS):
            for arm, keep in (('crf', None), ('crf_keep_small', KEEP)):
                crf = DenseCrf(**setting, keep_small=keep)
                pairs = zip(photos, plain, strict=True)
                masks = [crf(photo.pixels, one, 0).argmax(axis=0) for photo, one in pairs]
                add(arm, seed, masks, number)
    return found


def choose_settings(found: list[dict]) -> list[dict]:
    """Keep one setting of each arm, fold and seed: the best one on the other folds of the seed."""
    chosen = [one for one in found if one['setting'] is None]
    several = [one for one in found if one['setting'] is not None]
    for arm, seed, fold in sorted({(one['arm'], one['seed'], one['fold']) for one in several}):
        others: dict[int, np.ndarray] = {}
        for one in several:
            if (one['arm'], one['seed']) == (arm, seed) and one['fold'] != fold:
                confusion = np.array(one['confusion'])
                others[one['setting']] = others.get(one['setting'], 0) + confusion
        best = max(others, key=lambda setting: np.nanmean(class_ious(others[setting])))
        keys = dict(arm=arm, seed=seed, fold=fold, setting=best)
        chosen += [one for one in several if keys.items() <= one.items()]
    return [{key: value for key, value in one.items() if key != 'setting'} for one in chosen]


if __name__ == '__main__':
    cli.main(build_parser, run)
