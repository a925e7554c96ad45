"""What studies have in common: runs that continue after a stop, and intervals."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.utils import UserError, write_json
from mmseg_custom.utils.progress import tqdm


def continued(
    path: str | Path,
    settings: dict,
    runs: Sequence[tuple[int, str]],
    measure: Callable[[int, str], Any],
) -> dict[tuple[int, str], Any]:
    """Measure what a file does not have yet, and keep it after each run.

    Args:
        path: JSON file.
        settings: What all runs have in common.
        runs: Seed and name of each.
        measure: Returns plain data of a run.

    Returns:
        dict: The result of each run in the file.

    Raises:
        UserError: The file has results of other settings.
    """
    path = Path(path)
    content = json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
    if content and content['settings'] != settings:
        raise UserError(f'{path}: has results of {content["settings"]}; choose another file')
    results = content.get('results', {})
    for seed, name in tqdm(runs, 'runs'):
        key = f'{name}/{seed}'
        if key not in results:
            results[key] = measure(seed, name)
            write_json(path, dict(settings=settings, results=results))
    keys = (key.rsplit('/', 1) for key in results)
    return {(int(seed), name): results[f'{name}/{seed}'] for name, seed in keys}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a mean by the bootstrap over runs: ``(runs,)`` values."""
    rng = np.random.default_rng(0)
    drawn = rng.choice(values, (10000, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
