"""Searching how much each member of an ensemble should weigh."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import optuna

from mmseg_custom.classes import IGNORE_INDEX, ClassList
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.evaluation.mask_scores import mean_iou
from mmseg_custom.utils.likeliest import likeliest
from mmseg_custom.utils.parallel import in_threads

from .voted import Voters, score_photos

# A search over all pixels would read every file again for each trial.
PIXELS_PER_PHOTO = 4096
DIGITS = 3


def search_weights(
    members: Sequence[str],
    truths: Mapping[str, dict],
    trials: int,
    seed: int = 0,
    given: ClassList | None = None,
) -> dict:
    """Search the weights of highest mIoU by trying them on some pixels of each photo.

    What is reported is measured on all pixels. Weights that are no better there than equal ones are
    not proposed.

    Args:
        members: Folders of probabilities.
        truths: See :func:`~mmseg_custom.prediction.voted.read_truths`.
        trials: Number of weights to try.
        seed: Of the search and of the choice of pixels.
        given: See :class:`~mmseg_custom.prediction.voted.Voters`.

    Returns:
        dict: ``weights``, and the mIoU, 0..1, of each one ``alone``, of ``equal`` weights and of
        the ``best``.
    """
    classes = Voters(members, [1.0] * len(members), given=given).classes
    number = len(classes)
    votes, labels = _sample_pixels(members, truths, seed, classes)

    def objective(trial) -> float:
        weights = [trial.suggest_float(str(i), 0.0, 1.0) for i in range(len(members))]
        found = np.tensordot(np.array(weights, np.float32), votes, axes=1).argmax(axis=0)
        pairs = np.bincount(labels * number + found, minlength=number**2)
        return mean_iou(pairs.reshape(number, -1))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction='maximize', sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True)
    )
    study.enqueue_trial({str(i): 1.0 for i in range(len(members))})
    study.optimize(objective, n_trials=trials, show_progress_bar=True)

    def score(weights: Sequence[float], what: str) -> float:
        voters = Voters(members, weights, given=classes)
        return score_photos(truths, lambda name: likeliest(voters.read(name)), classes, what)[
            'mIoU'
        ]

    ones = np.eye(len(members)).tolist()
    alone = [score(one, f'member {i + 1}') for i, one in enumerate(ones)]
    equal_weights = [1.0] * len(members)
    weights = [round(study.best_params[str(i)], DIGITS) for i in range(len(members))]
    equal, best = score(equal_weights, 'equal'), score(weights, 'best')
    if best <= equal:
        weights, best = equal_weights, equal
    return dict(weights=weights, alone=alone, equal=equal, best=best)


def _sample_pixels(
    members: Sequence[str], truths: Mapping[str, dict], seed: int, classes: ClassList
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(members, C, pixels)`` float32 probabilities and ``(pixels,)`` labels."""

    def sample(item: tuple[int, str]) -> tuple[np.ndarray, np.ndarray]:
        place, name = item
        truth = sample_mask(truths[name], Path(), classes).ravel()
        counted = np.flatnonzero(truth != IGNORE_INDEX)
        rng = np.random.default_rng((seed, place))
        chosen = rng.permutation(counted)[:PIXELS_PER_PHOTO]
        read = (Voters([member], [1.0], given=classes).read(name) for member in members)
        votes = [one.reshape(len(classes), -1) for one in read]
        return np.stack([vote[:, chosen] for vote in votes]), truth[chosen].astype(np.int64)

    pairs = list(in_threads(sample, list(enumerate(truths)), 'reading'))
    votes, labels = zip(*pairs, strict=True)
    return np.concatenate(votes, axis=2), np.concatenate(labels)
