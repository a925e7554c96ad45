"""The command line that trains one of the experiments of a comparison."""

import re
import sys
from pathlib import Path

from .fold_files import fold_file
from .trials import Trial


def split_options(trial: Trial, folds_dir: str | None) -> list[str]:
    """Return the options of train.py that choose a trial's fold; none for the config's split.

    Args:
        trial: What to train.
        folds_dir: Folder of the folds.
    """
    if trial.fold is None or folds_dir is None:
        return []
    train, val = (fold_file(folds_dir, trial.fold, part) for part in ('train', 'val'))
    return ['--train-json', train, '--val-json', val]


def train_command(
    tools: Path, trial: Trial, gpus: int = 0, partition: str | None = None
) -> list[str]:
    """Return the beginning of the command line that trains a trial.

    Args:
        tools: Folder of train.py and the scripts.
        trial: What to train.
        gpus: Number of processes; 0: one, without a launcher.
        partition: Partition of a Slurm cluster, or None.
    """
    if partition:
        name = re.sub(r'\W', '_', f'{trial.name}_{trial.folder.name}')
        start = ['bash', str(tools / 'slurm_train.sh'), partition, name, trial.config]
    elif gpus:
        start = ['bash', str(tools / 'dist_train.sh'), trial.config, str(gpus)]
    else:
        start = [sys.executable, str(tools / 'train.py'), trial.config]
    factor = [] if trial.lr_factor is None else ['--lr-factor', f'{trial.lr_factor:g}']
    chosen = [*trial.arguments, *factor, '--seed', str(trial.seed)]
    return [*start, '--work-dir', str(trial.folder), *chosen, '--resume']
