"""MMEngine's runner with a console that can be read and workers that survive a stop."""

import contextlib
import functools
import io
import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from mmengine.runner._flexible_runner import FlexibleRunner
from mmengine.visualization import Visualizer
from torch import nn
from torch.utils.data import DataLoader

from mmseg_custom.checkpoints.resume import find_checkpoint
from mmseg_custom.utils.parent_death import end_with_parent
from mmseg_custom.utils.stop_signal import obey_parent_only

from .quiet_console import ConsoleFilter, ConsoleFormatter
from .rebuilt_schedule import group_options, rebuild_schedule
from .tracked_run import placed


class _OwnRunner:
    """What both runners share."""

    _load_from: str | None
    _resume: bool
    _randomness_cfg: dict
    experiment_name: str
    work_dir: str
    log_dir: str
    cfg: Config
    _train_dataloader: Any
    # What differs from the checkpoint, as far as it changes how the optimizer continues.
    rebuilds_schedule = False
    restarts_optimizer = False

    def dump_config(self) -> None:
        """Leave the work folder's config alone.

        :class:`~mmseg_custom.hooks.RunRecordHook` writes it when a training has begun, and the
        visualizer writes one beside each session's log; a test has no business with it.
        """

    def load_or_resume(self) -> None:
        """Load or resume, as MMEngine does, with names in ``last_checkpoint`` that are relative."""
        if self._resume and self._load_from is None:
            self._load_from, _ = find_checkpoint(self.work_dir)
        super().load_or_resume()  # type: ignore[misc]

    def build_visualizer(self, visualizer: Visualizer | dict | None = None) -> Visualizer:
        """Build this run's own visualizer.

        MMEngine returns one of the same name from earlier in the process, which writes into the
        folder of that run, and begins a run in each tracker with each session.
        """
        if isinstance(visualizer, dict):
            backends = placed(
                visualizer.get('vis_backends') or [],
                self.log_dir,
                trains=self._train_dataloader is not None,
                continues=_continues(self.cfg, self.work_dir),
            )
            visualizer = dict(visualizer, name=self.experiment_name, vis_backends=backends)
        return super().build_visualizer(visualizer)  # type: ignore[misc]  # the runner's

    def build_dataloader(self, *args, **kwargs) -> DataLoader:
        """Build a loader, as MMEngine does, whose workers leave SIGTERM to the training."""
        loader = super().build_dataloader(*args, **kwargs)  # type: ignore[misc]  # the runner's
        loader.worker_init_fn = functools.partial(_begin_worker, loader.worker_init_fn)
        return loader


@RUNNERS.register_module()
class TrashRunner(_OwnRunner, Runner):
    """A ``Runner`` with a quiet console that resumes also where the experiment has changed."""

    def resume(self, filename: str, resume_optimizer: bool = True, **kwargs) -> None:
        """Resume, as MMEngine does, then apply what has changed since the checkpoint.

        Args:
            filename: The checkpoint.
            resume_optimizer: Whether to restore the optimizer's state.
            **kwargs: See :meth:`mmengine.runner.Runner.resume`.
        """
        randomness = dict(self._randomness_cfg)
        options = group_options(self.optim_wrapper) if self.rebuilds_schedule else []
        restores = resume_optimizer and not self.restarts_optimizer
        super().resume(filename, resume_optimizer=restores, **kwargs)
        if self.seed != randomness.get('seed'):
            self._randomness_cfg = randomness
            self.set_randomness(**randomness)
        if self.rebuilds_schedule:
            rebuild_schedule(self, options)

    def build_logger(self, log_level: int | str = 'INFO', **kwargs) -> MMLogger:
        """Build the logger, as MMEngine does, and quieten its console handler."""
        logger = super().build_logger(log_level, **kwargs)
        self._console = ConsoleFilter()
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.filters = [self._console]
                handler.setFormatter(ConsoleFormatter())
        return logger

    def train(self) -> nn.Module:
        """Train, as MMEngine does, without the table of each validation on the console."""
        self._console.trains = True
        try:
            return super().train()
        finally:
            self._console.trains = False

    def load_checkpoint(self, *args, **kwargs) -> dict:
        """Load a checkpoint, as MMEngine does; what it prints about it goes to the log."""
        with self._printing_to_log():
            return super().load_checkpoint(*args, **kwargs)

    def _init_model_weights(self) -> None:
        """Initialize weights, as MMEngine does; what backbones print about it goes to the log."""
        with self._printing_to_log():
            super()._init_model_weights()

    @contextlib.contextmanager
    def _printing_to_log(self) -> Iterator[None]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            yield
        if said.getvalue():
            self.logger.debug(said.getvalue().strip())


@RUNNERS.register_module()
class TrashFlexibleRunner(_OwnRunner, FlexibleRunner):
    """A ``FlexibleRunner`` (FSDP) that is resumed where it was.

    MMEngine's puts its own iteration over what ``CheckpointHook`` says. After a validation, where
    the hook writes the newest checkpoint once more, that is one too many.
    """

    def save_checkpoint(self, *args, meta: dict | None = None, **kwargs) -> None:
        """Save, as MMEngine does, and keep what ``meta`` says."""
        self._said = dict(meta or {})
        super().save_checkpoint(*args, meta=meta, **kwargs)

    def call_hook(self, fn_name: str, **kwargs) -> None:
        """Call the hooks; they come last before a checkpoint is written."""
        if fn_name == 'before_save_checkpoint':
            kwargs['checkpoint']['meta'].update(self._said)
        super().call_hook(fn_name, **kwargs)


def _continues(cfg: Config, work_dir: str) -> bool:
    """Return whether a session continues the training in its work folder."""
    if not cfg.get('resume'):
        return False
    source = Path(cfg.get('load_from') or Path(work_dir, 'any'))
    return source.resolve().parent == Path(work_dir).resolve()


def _begin_worker(begin: Callable[[int], None] | None, worker_id: int) -> None:
    obey_parent_only()
    # It holds copies of the training's connections: other processes would not see them close.
    end_with_parent(signal.SIGKILL)
    if begin:
        begin(worker_id)
