"""How far the score of one fold is from that of all photos: stratified folds against plain ones.

Each photo is predicted once, by a head of tools/ablate.py that has not seen it. What is measured is
how these predictions are divided, for many divisions; nothing is trained again. Adds `folds` to the
raw results of benchmarks.evidence.
"""

from pathlib import Path

import numpy as np
import torch

from mmseg_custom import cli
from mmseg_custom.cli import positive_int, positive_number
from mmseg_custom.evaluation.confusion import class_ious
from mmseg_custom.utils.progress import tqdm

from .evidence_heads import (
    add_arguments,
    build_model,
    count_pixels,
    find_heads,
    head_weights,
    predict,
    read_fold,
    save_study,
)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.evidence_folds',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.evidence_folds work_dirs/frozen/frozen_head \\\n'
        '      configs/ablation/frozen_head.py --folds-dir DATA/folds --data-root DATA',
    )
    add_arguments(parser)
    parser.add_argument('--lr-factor', type=positive_number, default=3.0, help='of the heads (3)')
    parser.add_argument('--divisions', type=positive_int, default=100, help='of each kind (100)')
    return parser


def run(args) -> None:
    """Measure, and replace the study in the file of results."""
    from mmseg_custom.coco import plain_folds, stratified_folds

    torch.set_num_threads(1)
    confusions, counts, folds = predict_all(args)
    found: dict[str, dict[str, list[float]]] = {}
    for seed in tqdm(range(args.divisions), 'divisions'):
        of_kinds = dict(
            plain=plain_folds(len(counts), folds, seed),
            stratified=stratified_folds(counts, folds, seed),
        )
        for kind, fold_of in of_kinds.items():
            of_kind = found.setdefault(kind, dict(score=[], fraction=[]))
            of_kind['score'].append(round(score_error(confusions, fold_of), 3))
            of_kind['fraction'].append(round(fraction_error(counts, fold_of), 3))
    save_study(args.results, 'folds', found)


def predict_all(args) -> tuple[np.ndarray, np.ndarray, int]:
    """Predict each photo with a head that has not seen it.

    Returns:
        tuple: ``(N, C, C)`` int64 pixels of each photo, truth and prediction; ``(N, C)`` int64
        annotations of each class, classes in the order of the file; number of folds.
    """
    from mmseg_custom.coco import classes_of_files, read_coco
    from mmseg_custom.coco.read import file_order
    from mmseg_custom.coco.stats.class_counts import class_counts
    from mmseg_custom.runs.fold_files import fold_file

    heads = {
        fold: path
        for (fold, seed, factor), path in find_heads(Path(args.heads)).items()
        if seed == 0 and factor == args.lr_factor
    }
    model, number = build_model(args)
    confusions, counts = [], []
    for fold, path in sorted(heads.items()):
        photos = read_fold(model, args, fold)
        plain, _ = predict(model, head_weights(path), photos)
        confusions.append(count_pixels(photos, plain.argmax(axis=1), number))
        content = read_coco(fold_file(args.folds_dir, fold, 'val'))
        classes = classes_of_files({'': content}, args.classes)
        counts.append(class_counts(content, classes)[:, file_order(content, classes)])
    return np.concatenate(confusions), np.concatenate(counts), len(heads)


def score_error(confusions: np.ndarray, fold_of: np.ndarray) -> float:
    """Return the root mean square of the folds' mIoUs around that of all photos, in points.

    Args:
        confusions: ``(N, C, C)`` of each photo.
        fold_of: ``(N,)`` its fold.
    """
    scores = [miou(confusions[fold_of == fold]) for fold in np.unique(fold_of)]
    return float(np.sqrt(np.mean((np.array(scores) - miou(confusions)) ** 2)))


def miou(confusions: np.ndarray) -> float:
    """Return the mIoU in percent of photos together: ``(N, C, C)``."""
    return float(100 * np.nanmean(class_ious(confusions.sum(axis=0))))


def fraction_error(counts: np.ndarray, fold_of: np.ndarray) -> float:
    """Return how far a class's fraction of a fold's annotations is from its fraction of all.

    Args:
        counts: ``(N, C)`` annotations of each photo.
        fold_of: ``(N,)`` its fold.

    Returns:
        float: The largest difference, in percentage points.
    """
    from mmseg_custom.coco import max_deviation

    return 100 * max_deviation(counts, fold_of, len(np.unique(fold_of)))


if __name__ == '__main__':
    cli.main(build_parser, run)
