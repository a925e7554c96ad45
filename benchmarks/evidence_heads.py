"""Heads that tools/ablate.py --cache-features trained, and what they say of validation photos."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_custom import cli
from mmseg_custom.cli import data_folder, existing_dir, existing_file
from mmseg_custom.evaluation.confusion import confusion_matrix
from mmseg_custom.utils.progress import tqdm

HEAD = re.compile(r'fold_(\d+)_seed_(\d+)(?:_lr_([\d.]+))?')


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


def add_arguments(parser: cli.Parser) -> None:
    """Add the heads, their experiment, the data and the file of results to a command line."""
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


def save_study(path: str | Path, name: str, found: list | dict) -> None:
    """Replace a study in the file of results."""
    import json

    from mmseg_custom.utils import write_json

    path = Path(path)
    content = json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
    write_json(path, dict(content, **{name: found}))
    print(f'{len(found)} results of {name}: {path}')


def count_pixels(
    photos: Sequence['Photo'], masks: Sequence[np.ndarray], classes: int
) -> np.ndarray:
    """Return a confusion matrix for each photo: ``(N, C, C)`` int64, truth and prediction."""
    pairs = zip(photos, masks, strict=True)
    return np.stack(
        [confusion_matrix(photo.truth, mask.astype(np.uint8), classes) for photo, mask in pairs]
    )


def find_heads(folder: Path) -> dict[tuple[int, int, float], Path]:
    """Return checkpoints by fold, seed and factor of the learning rate, which is 1 if not named."""
    files = [*folder.glob('fold_*.pt'), *folder.glob('fold_*/iter_*.pth')]
    found = {}
    for path in sorted(files):
        match = HEAD.fullmatch(path.stem if path.suffix == '.pt' else path.parent.name)
        if match:
            fold, seed, factor = match.groups()
            found[int(fold), int(seed), float(factor or 1)] = path
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


def each_fold(
    model: nn.Module, args
) -> Iterator[tuple[int, list[Photo], dict[tuple[int, float], dict[str, Tensor]]]]:
    """Yield each fold's number, validation photos, and heads by seed and learning rate factor."""
    heads = find_heads(Path(args.heads))
    for fold in tqdm(sorted({fold for fold, *_ in heads}), 'folds', unit='fold'):
        states = {key[1:]: head_weights(path) for key, path in heads.items() if key[0] == fold}
        yield fold, read_fold(model, args, fold), states


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
