"""MMEngine's runner with a console that can be read and workers that survive a stop."""

import functools
import logging
from collections.abc import Callable

from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from mmengine.runner._flexible_runner import FlexibleRunner
from torch.utils.data import DataLoader

from mmseg_custom.utils.stop_signal import obey_parent_only

# Hundreds of lines at every start: useful in the log file, not on the screen.
FILE_ONLY = ('paramwise_options', 'Config:', 'Hooks will be executed', '\n----')
NOT_OURS = (
    '"FileClient" will be',
    '"HardDiskBackend" is the',
    'The prefix is not set',
    'teacher.module.',  # each of its weights is no matter of the optimizer
)


class _StoppableWorkers:
    """What both runners share."""

    def build_dataloader(self, *args, **kwargs) -> DataLoader:
        """Build a loader, as MMEngine does, whose workers leave SIGTERM to the training."""
        loader = super().build_dataloader(*args, **kwargs)  # type: ignore[misc]  # the runner's
        loader.worker_init_fn = functools.partial(_begin_worker, loader.worker_init_fn)
        return loader


@RUNNERS.register_module()
class TrashRunner(_StoppableWorkers, Runner):
    """A ``Runner`` that writes everything to the log file and only what tells to the console."""

    def build_logger(self, log_level: int | str = 'INFO', **kwargs) -> MMLogger:
        """Build the logger, as MMEngine does, and quieten its console handler."""
        logger = super().build_logger(log_level, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.addFilter(_is_for_the_console)
        return logger


@RUNNERS.register_module()
class TrashFlexibleRunner(_StoppableWorkers, FlexibleRunner):
    """A ``FlexibleRunner`` (FSDP, DeepSpeed) that is resumed where it was.

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


def _is_for_the_console(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(FILE_ONLY + NOT_OURS)


def _begin_worker(begin: Callable[[int], None] | None, worker_id: int) -> None:
    obey_parent_only()
    if begin:
        begin(worker_id)
