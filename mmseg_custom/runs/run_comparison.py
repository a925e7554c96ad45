"""What several trainings have in common, and in what they differ."""

import os
from collections.abc import Mapping, Sequence

from mmseg_custom.utils.plain_data import flatten

from .run_folder import RunFolder, read_run

# The place of a run says nothing of it.
LEFT_OUT = ('work_dir',)
SCORES = ('mIoU', 'mIoU_all', 'mF1', 'mPrecision', 'mRecall', 'mBoundaryIoU', 'aAcc')


def compare_runs(work_dirs: Sequence[str | os.PathLike]) -> dict:
    """Read trainings and put them side by side.

    Args:
        work_dirs: At least one work folder.

    Returns:
        dict: ``names``; ``rows`` and ``class_rows``, each row with ``name``, ``unit``, ``values``
        and ``best``, the places of the best ones; ``train`` and ``val``, curves by run by name;
        ``configs``, the keys that differ with their values as texts, None where a run has no such
        key.

    Raises:
        UserError: A folder has no config.
    """
    runs = [read_run(work_dir) for work_dir in work_dirs]
    names = run_names(work_dirs)
    return dict(
        names=names,
        rows=_rows(runs),
        class_rows=_class_rows(runs),
        train=_by_curve([run.train for run in runs], names),
        val=_by_curve([run.val for run in runs], names),
        configs=config_differences([run.config.to_dict() for run in runs]),
    )


def run_names(work_dirs: Sequence[str | os.PathLike]) -> list[str]:
    """Return the folders' names, or their full paths where two have one name."""
    short = [os.path.basename(os.path.abspath(path)) for path in work_dirs]
    return short if len(set(short)) == len(short) else [os.fspath(path) for path in work_dirs]


def best_places(values: Sequence[float | None], largest: bool) -> list[int]:
    """Return where the best value stands; several places where they are equal, none for one run.

    Args:
        values: One a run, None where it has none.
        largest: Whether the largest is the best; else the smallest is.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2 or len(set(known)) == 1:
        return []
    best = max(known) if largest else min(known)
    return [place for place, value in enumerate(values) if value == best]


def config_differences(configs: Sequence[Mapping]) -> list[tuple[str, list[str | None]]]:
    """Return the dotted keys whose values are not the same in all configs.

    Args:
        configs: Nested dicts and lists.

    Returns:
        list[tuple[str, list[str | None]]]: Key, and its value in each config as Python writes it.
    """
    flat = [{key: repr(value) for key, value in flatten(config)} for config in configs]
    keys = sorted({key for config in flat for key in config} - set(LEFT_OUT))
    rows = [(key, [config.get(key) for config in flat]) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _rows(runs: Sequence[RunFolder]) -> list[dict]:
    last = [(run.validation or {}).get('metrics') or {} for run in runs]
    rows = [_row(name, '%', [metrics.get(name) for metrics in last]) for name in SCORES]
    highest = [max(run.val.get('mIoU', {}).values(), default=None) for run in runs]
    losses = [list(run.train.get('loss', {0: None}).values())[-1] for run in runs]
    seconds = [run.median('time') for run in runs]
    rows += [
        _row('highest mIoU of all validations', '%', highest),
        # Of different losses the smaller one is not the better one.
        dict(name='last loss', unit='', values=losses, best=[]),
        _row('iteration, median', 's', seconds, largest=False),
        dict(name='iterations', unit='', values=[run.iterations for run in runs], best=[]),
    ]
    return [row for row in rows if any(value is not None for value in row['values'])]


def _row(name: str, unit: str, values: list[float | None], largest: bool = True) -> dict:
    return dict(name=name, unit=unit, values=values, best=best_places(values, largest))


def _class_rows(runs: Sequence[RunFolder]) -> list[dict]:
    """Return the IoU of each class in percent."""
    ious = [_class_ious(run.validation) for run in runs]
    names = dict.fromkeys(name for of_run in ious for name in of_run)
    return [_row(name, '%', [of_run.get(name) for of_run in ious]) for name in names]


def _class_ious(validation: dict | None) -> dict[str, float | None]:
    if not validation or 'per_class' not in validation:
        return {}
    values = validation['per_class']['IoU']
    percent = [value if value is None else 100 * value for value in values]
    return dict(zip(validation['classes'], percent, strict=True))


def _by_curve(curves: Sequence[dict], names: Sequence[str]) -> dict[str, dict]:
    """Return for each curve's name the curves of the runs that have it."""
    found = dict.fromkeys(name for of_run in curves for name in of_run)
    return {
        curve: {name: of[curve] for name, of in zip(names, curves, strict=True) if curve in of}
        for curve in found
    }
