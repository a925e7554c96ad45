"""What is done after a training, with the baseline heads of tools/ablate.py --cache-features.

Adds the study `afterwards` to the raw results of benchmarks.evidence: mirror images, the dense CRF
with settings chosen on other folds, the mean of three seeds' probabilities, and the mean weights of
three learning rates, which begin with the same weights.
"""

import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_custom import cli
from mmseg_custom.cli import data_folder, existing_dir, existing_file
from mmseg_custom.evaluation.confusion import class_ious, confusion_matrix
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.utils.progress import tqdm

HEAD = re.compile(r'fold_(\d+)_seed_(\d+)_lr_([\d.]+)')
# For photos of 160 pixels: reach, tolerance of colors, and weight of the appearance kernel.
SETTINGS = [
    dict(gaussian_sxy=1.0, bilateral_sxy=reach, bilateral_srgb=color, bilateral_weight=weight)
    for reach, color, weight in product((10.0, 30.0), (5.0, 13.0), (3.0, 10.0))
]
KEEP = 0.5


class Photo(NamedTuple):
    """A validation photo.

    Attributes:
        pixels: ``(H, W, 3)`` uint8 BGR.
        truth: ``(H, W)`` uint8 labels.
        views: Features of the photo and of its mirror image.
    """

    pixels: np.ndarray
    truth: np.ndarray
    views: tuple[tuple[Tensor, ...], tuple[Tensor, ...]]


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.evidence_afterwards',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.evidence_afterwards work_dirs/frozen/frozen_head \\\n'
        '      configs/ablation/frozen_head.py --folds-dir DATA/folds --data-root DATA',
    )
    parser.add_argument(
        'heads', type=existing_dir, metavar='DIR', help='folder of the trainings, or of DIR/*.pt'
    )
    parser.add_argument('config', type=existing_file, help='their experiment')
    cli.add_folds_dir(parser, 'folder of the folds')
    parser.add_argument('--data-root', type=data_folder, metavar='DIR', help='folder of the data')
    cli.add_class_options(parser)
    parser.add_argument(
        '--results', default='benchmarks/results/evidence.json', metavar='FILE', help='to add to'
    )
    return parser


def run(args) -> None:
    """Measure, and replace the study in the file of results."""
    import json

    from mmseg_custom.utils import write_json

    torch.set_num_threads(1)
    heads = find_heads(Path(args.heads))
    model, classes = build_model(args)
    found = []
    for fold in tqdm(sorted({fold for fold, *_ in heads}), 'folds', unit='fold'):
        photos = read_fold(model, args, fold)
        of_fold = {key[1:]: path for key, path in heads.items() if key[0] == fold}
        found += measure_fold(model, photos, of_fold, fold, classes)
    path = Path(args.results)
    content = json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
    content['afterwards'] = choose_settings(found)
    write_json(path, content)
    print(f'{len(content["afterwards"])} results: {path}')


def find_heads(folder: Path) -> dict[tuple[int, int, float], Path]:
    """Return checkpoints by fold, seed and factor of the learning rate."""
    files = [*folder.glob('fold_*.pt'), *folder.glob('fold_*/iter_*.pth')]
    found = {}
    for path in sorted(files):
        match = HEAD.fullmatch(path.stem if path.suffix == '.pt' else path.parent.name)
        if match:
            fold, seed, factor = match.groups()
            found[int(fold), int(seed), float(factor)] = path
    return found


def build_model(args) -> tuple[nn.Module, int]:
    """Return the model with its ImageNet weights in evaluation mode, and the number of classes."""
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    from mmseg_custom.experiment.build import build_experiment

    args.option, args.augmentation = ['frozen_features', 'cached_samples'], 'none'
    cfg = args.experiment = build_experiment(args)
    init_default_scope('mmseg')
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model.eval(), model.decode_head.num_classes


def read_fold(model: nn.Module, args, fold: int) -> list[Photo]:
    """Return the validation photos of a fold with their features."""
    from mmseg.registry import DATASETS

    from mmseg_custom.experiment.datasets import set_ann_file
    from mmseg_custom.runs.fold_files import fold_file

    set_ann_file(args.experiment, 'val_dataloader', fold_file(args.folds_dir, fold, 'val'))
    photos = []
    for sample in DATASETS.build(args.experiment.val_dataloader.dataset):
        pixels, data = sample['inputs'], sample['data_samples']
        views = []
        for view in (pixels, pixels.flip(-1)):
            batch = dict(inputs=[view], data_samples=[data])
            views.append(model.data_preprocessor.with_features(batch, training=False)['inputs'])
        truth = data.gt_sem_seg.data[0].numpy().astype(np.uint8)
        photos.append(Photo(pixels.permute(1, 2, 0).numpy().copy(), truth, tuple(views)))
    return photos


def measure_fold(
    model: nn.Module, photos: list[Photo], heads: dict, fold: int, classes: int
) -> list[dict]:
    """Return the results of one fold, those of the CRF with every setting.

    Args:
        model: Gets the heads' weights.
        photos: Validation photos.
        heads: Checkpoints by seed and factor of the learning rate.
        fold: Its number.
        classes: Number of classes.
    """
    found = []

    def add(arm: str, seed: int, masks: Iterable[np.ndarray], setting: int | None = None) -> None:
        confusion = sum(
            confusion_matrix(photo.truth, mask.astype(np.uint8), classes)
            for photo, mask in zip(photos, masks, strict=True)
        )
        result = dict(arm=arm, fold=fold, seed=seed, lr_factor=None, setting=setting)
        found.append(dict(result, confusion=np.asarray(confusion).tolist()))

    states = {key: head_weights(path) for key, path in heads.items()}
    of_seeds = []
    for seed in sorted(seed for seed, factor in states if factor == 1):
        plain, mirrored = predict(model, states[seed, 1.0], photos)
        of_seeds.append(plain)
        add('plain', seed, plain.argmax(axis=1))
        add('flip', seed, (plain + mirrored).argmax(axis=1))
        for number, setting in enumerate(SETTINGS):
            for arm, keep in (('crf', None), ('crf_keep_small', KEEP)):
                crf = DenseCrf(**setting, keep_small=keep)
                pairs = zip(photos, plain, strict=True)
                masks = [crf(photo.pixels, one, 0).argmax(axis=0) for photo, one in pairs]
                add(arm, seed, masks, number)
    if len(of_seeds) == 3:
        add('ensemble', 0, np.mean(of_seeds, axis=0).argmax(axis=1))
    rates = [state for (seed, _), state in states.items() if seed == 0]
    if len(rates) == 3:
        soup = {name: torch.stack([r[name].float() for r in rates]).mean(0) for name in rates[0]}
        add('soup', 0, predict(model, soup, photos)[0].argmax(axis=1))
    return found


def head_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of the head in a checkpoint, as float32."""
    from mmseg_custom.checkpoints.safe_load import read_checkpoint

    content = read_checkpoint(path)
    state = content.get('state_dict', content)
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in state.items()
        if name.startswith('decode_head.')
    }


@torch.inference_mode()
def predict(model: nn.Module, head: dict[str, Tensor], photos: list[Photo]) -> list[np.ndarray]:
    """Return ``(N, C, H, W)`` float32 probabilities of the photos, and of their mirror images.

    Those of mirror images are mirrored back.
    """
    model.load_state_dict(head, strict=False)
    found: tuple[list, list] = ([], [])
    for photo in photos:
        for view, (features, out) in enumerate(zip(photo.views, found, strict=True)):
            logits = model.decode_head(features)
            size = photo.truth.shape
            logits = nn.functional.interpolate(logits, size, mode='bilinear', align_corners=False)
            probabilities = logits.softmax(dim=1)[0].numpy()
            out.append(np.ascontiguousarray(probabilities[..., ::-1]) if view else probabilities)
    return [np.stack(one) for one in found]


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
