"""Searching the parameters of the dense CRF on labeled photos."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.utils import UserError, atomic_path
from mmseg_custom.utils.likeliest import likeliest

from .photo_sources import PhotoSource
from .voted import Voters, score_photos

STUDY = 'dense_crf'
# Lowest and highest; searched on a logarithmic scale.
RANGES = dict(
    gaussian_sxy=(1.0, 8.0),
    gaussian_weight=(0.5, 10.0),
    bilateral_sxy=(10.0, 160.0),
    bilateral_srgb=(3.0, 40.0),
    bilateral_weight=(0.5, 20.0),
)
MOST_ITERATIONS = 10


def score_crf(
    crf: DenseCrf | None,
    photos: Mapping[str, PhotoSource],
    truths: Mapping[str, dict],
    voters: Voters,
    what: str,
) -> dict[str, float]:
    """Measure what a CRF makes of saved probabilities; None: what they are without.

    Args:
        crf: The CRF.
        photos: By name.
        truths: See :func:`~mmseg_custom.prediction.voted.read_truths`.
        voters: Where the probabilities are.
        what: Named beside the progress.
    """

    def predict(name: str) -> np.ndarray:
        probabilities = voters.read(name)
        if crf is not None:
            probabilities = crf(photos[name].read(), probabilities, voters.classes.background)
        return likeliest(probabilities)

    return score_photos(truths, predict, voters.classes, what)


def tune_crf(
    evaluate: Callable[[DenseCrf, str], float],
    start: DenseCrf,
    trials: int,
    journal: Path,
    seed: int = 0,
) -> tuple[DenseCrf, float]:
    """Search the parameters with the highest score; the same call continues after a stop.

    Args:
        evaluate: Gives the score of a CRF; takes a text to show beside its progress.
        start: What is tried first, and what decides over ``keep_small``.
        trials: Number of trials in all.
        journal: File that keeps the finished trials.
        seed: Seed of the search.

    Returns:
        tuple[DenseCrf, float]: The best CRF and its score.

    Raises:
        UserError: Optuna is missing.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise UserError('the search needs Optuna: pip install -e ".[crf]"') from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=STUDY,
        storage=JournalStorage(JournalFileBackend(str(journal))),
        load_if_exists=True,
        direction='maximize',
    )
    if not study.trials:
        study.enqueue_trial({name: getattr(start, name) for name in (*RANGES, 'iterations')})

    def objective(trial) -> float:
        return evaluate(_suggest(trial, start), f'trial {trial.number + 1}/{trials}')

    done = sum(trial.state.is_finished() for trial in study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed + done)
    study.optimize(objective, n_trials=max(0, trials - done))
    values: dict[str, Any] = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in study.best_params.items()
    }
    return dataclasses.replace(start, **values), study.best_value


def _suggest(trial, start: DenseCrf) -> DenseCrf:
    values = {
        name: trial.suggest_float(name, low, high, log=True) for name, (low, high) in RANGES.items()
    }
    values['iterations'] = trial.suggest_int('iterations', 1, MOST_ITERATIONS)
    return dataclasses.replace(start, **values)


def write_crf_config(path: str, crf: DenseCrf, comment: str) -> None:
    """Write a config that ``--crf`` takes.

    Args:
        path: The file, ``.py``.
        crf: What it says.
        comment: Its first line.
    """
    values = {k: v for k, v in crf.settings().items() if v is not None}
    lines = ''.join(f'    {name}={value!r},\n' for name, value in values.items())
    with atomic_path(path) as temporary:
        temporary.write_text(f'# {comment}\ncrf = dict(\n{lines})\n', encoding='utf-8')
