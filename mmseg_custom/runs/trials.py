"""Trainings of several experiments over seeds and folds: what to run, and running it."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from threading import Event

from mmseg_custom.hooks import SaveMetricsHook
from mmseg_custom.utils import UserError
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.provenance import FILE, Provenance
from mmseg_custom.utils.thread_pool import thread_pool

from .cold_process import ColdProcess
from .made_from import describe_training, photos_of
from .warm_process import WarmProcess

LOG = 'train.log'


@dataclass(frozen=True)
class Trial:
    """One training.

    Attributes:
        config: The experiment.
        seed: Seed of everything random.
        fold: Number of the fold, or None for the config's own split.
        folder: Where it writes.
        variant: Name of what ``arguments`` make of the config; empty for the config as it is.
        arguments: More arguments of train.py.
        lr_factor: Factor of the learning rate, or None.
    """

    config: str
    seed: int
    fold: int | None
    folder: Path
    variant: str = ''
    arguments: tuple[str, ...] = ()
    lr_factor: float | None = None

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.variant or Path(self.config).stem

    def result(self) -> dict | None:
        """Return what the last validation measured; None while the training is not at its end."""
        files = sorted((self.folder / SaveMetricsHook.folder).glob('iter_*.json'))
        if not files:
            return None
        content = json.loads(files[-1].read_text(encoding='utf-8'))
        return content if content['iter'] == content['max_iters'] else None


def plan_trials(
    configs: Sequence[str],
    seeds: Sequence[int],
    folds: Sequence[int | None],
    work_dir: Path,
    variants: Mapping[str, Sequence[str]] | None = None,
) -> list[Trial]:
    """Return every combination: of each seed the experiments, of each experiment the folds.

    Args:
        configs: The experiments.
        seeds: Seeds.
        folds: Numbers of folds; ``[None]`` for the configs' own split.
        work_dir: Gets a folder an experiment, with a folder a trial in it.
        variants: By name, arguments of train.py that change the first experiment.

    Raises:
        UserError: Two experiments have the same name.
    """
    arms: list[tuple[str, str, str, tuple[str, ...]]]
    arms = [(Path(config).stem, config, '', ()) for config in configs]
    arms += [(name, configs[0], name, tuple(more)) for name, more in (variants or {}).items()]
    names = [name for name, *_ in arms]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f'{twice[0]}: two experiments have this name; rename a file, or drop one')
    trials = []
    for seed, (name, config, variant, more), fold in product(seeds, arms, folds):
        part = f'seed_{seed}' if fold is None else f'fold_{fold}_seed_{seed}'
        trials.append(Trial(config, seed, fold, work_dir / name / part, variant, more))
    return trials


def run_trials(
    trials: Sequence[Trial],
    command_of: Callable[[Trial], Sequence[str]],
    jobs: int = 1,
    warm: bool = False,
    keep_going: bool = False,
) -> None:
    """Run what is not done yet; everything is kept when one fails, and the rest is not started.

    Args:
        trials: See :func:`plan_trials`.
        command_of: The command line that trains a trial, continuing where it was stopped.
        jobs: How many run at the same time.
        warm: Run them in processes that have imported everything and train one after the other
            (:class:`~mmseg_custom.runs.warm_process.WarmProcess`). Only for commands of Python.
        keep_going: Print which training failed, and start the rest all the same.

    Raises:
        UserError: A training failed; names its log.
    """
    for trial in trials:
        _require_same(trial, command_of(trial))
    waiting = [trial for trial in trials if trial.result() is None]
    stop = Event()
    processes: SimpleQueue = SimpleQueue()
    for _ in range(jobs):
        processes.put(WarmProcess() if warm else ColdProcess())
    with (
        tqdm(total=len(trials), initial=len(trials) - len(waiting), unit='training') as bar,
        thread_pool(jobs) as pool,
    ):

        def run(trial: Trial) -> None:
            if not stop.is_set():
                bar.set_postfix_str(f'{trial.name} {trial.folder.name}')
                process = processes.get()
                try:
                    _train(trial, command_of(trial), process, stop)
                except UserError as error:
                    if not keep_going:
                        raise
                    print(error, file=sys.stderr, flush=True)
                finally:
                    processes.put(process)
                bar.update()

        futures = [pool.submit(run, trial) for trial in waiting]
        try:
            for future in futures:
                future.result()
        finally:
            stop.set()
            for _ in range(jobs):
                processes.get().close()


def _require_same(trial: Trial, command: Sequence[str]) -> None:
    """Note what a trial is made from; raise when its folder was made from something else."""
    provenance = Provenance(
        trial.folder / FILE, 'train', describe_training(trial.config, trial.folder, command)
    )
    provenance.open([trial.folder / LOG, trial.folder / SaveMetricsHook.folder])
    provenance.require_unchanged(photos_of(trial.config, command))
    provenance.save()


def _train(
    trial: Trial, command: Sequence[str], process: WarmProcess | ColdProcess, stop: Event
) -> None:
    """Run one training; its output goes to a file, and it ends when ``stop`` is set."""
    trial.folder.mkdir(parents=True, exist_ok=True)
    log = trial.folder / LOG
    code = process.run(command, log, stop)
    if code is not None and (code or trial.result() is None):
        raise UserError(
            f'{log}: the training failed ({_last_line(log)}); fix it and run the same command '
            'again: what is finished is kept'
        )


def _last_line(path: Path) -> str:
    lines = [line.strip() for line in path.read_text(encoding='utf-8').splitlines()]
    return next((line for line in reversed(lines) if line), 'it wrote nothing')
