"""Where each value of an experiment comes from: a file of its chain, or an option."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_custom.utils.plain_data import flatten

from .build import experiment_steps, read_experiment
from .keys import READ, base_chain

Values = dict[str, Any]


def trace_origins(args: argparse.Namespace) -> tuple[Config, dict[str, tuple[Any, str]]]:
    """Build the experiment of a command line, and note what set each value last.

    Args:
        args: See :func:`~mmseg_custom.experiment.build.build_experiment`.

    Returns:
        tuple[Config, dict[str, tuple[Any, str]]]: The experiment; by the dotted keys that are read
        when it runs, the value and its origin.

    Raises:
        UserError: See :func:`~mmseg_custom.experiment.build.build_experiment`.
    """
    cfg = read_experiment(args)
    values = _values(cfg)
    origins = _of_files(args.config, values)
    for name, change in experiment_steps(args):
        change(cfg)
        now = _values(cfg)
        origins |= {key: name for key in now if key not in values or now[key] != values[key]}
        values = now
    return cfg, {key: (value, origins[key]) for key, value in values.items()}


def _of_files(path: str, values: Values) -> dict[str, str]:
    """Return for each value the last file of the chain that changed it."""
    origins = dict.fromkeys(values, os.path.basename(path))
    before: dict[Path, Values] = {}
    for file in base_chain(path):
        own = _values(Config.fromfile(str(file), import_custom_modules=False))
        inherited: Values = {}
        for base in base_chain(file)[:-1]:
            inherited |= before[base]
        changed = [key for key, value in own.items() if inherited.get(key, None) != value]
        origins |= {key: _short(file) for key in changed if key in values}
        before[file] = own
    return origins


def _short(file: Path) -> str:
    relative = os.path.relpath(file)
    return str(file) if relative.startswith('..') else relative


def _values(cfg: Mapping) -> Values:
    content = Config(dict(cfg.items())).to_dict()
    return dict(flatten({key: value for key, value in content.items() if key in READ}))
