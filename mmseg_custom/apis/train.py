"""Training from a config."""

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS
from torch import nn

from mmseg_custom.apis.runner import TrashRunner
from mmseg_custom.checkpoints import resume as resuming
from mmseg_custom.checkpoints import safe_mmengine_files
from mmseg_custom.checkpoints.checkpoint import require_readable
from mmseg_custom.checkpoints.safe_load import no_code
from mmseg_custom.experiment.config import drop_pretrained
from mmseg_custom.experiment.launch import is_first_process, was_restarted
from mmseg_custom.utils.stop_signal import stopping_on_signal

from .training_faults import ending_workers, known_faults_as_messages


def train(cfg: Config, resume: str | None = None) -> nn.Module:
    """Train the model of ``cfg``, from the start or from where a run was stopped.

    Where a launcher has started the training anew after a fault (torchrun's ``--max-restarts``, a
    job that Slurm has queued again), it goes on from the latest checkpoint in any case.

    Args:
        cfg: A whole experiment, fitted to the machine
            (:func:`mmseg_custom.experiment.launch.fit_to_machine`).
        resume: None: start. ``'auto'``: go on from the latest checkpoint in ``cfg.work_dir`` that
            is whole, or start where there is none. Else the checkpoint to go on from.

    Returns:
        nn.Module: The trained model.

    Raises:
        UserError: Wrong data, a wrong checkpoint, pretrained weights that cannot be fetched, a
            loss that is not finite, a full disk, or a process that is gone.
        TrainingStopped: SIGTERM came, and a checkpoint is written.
    """
    with (
        stopping_on_signal(),
        safe_mmengine_files(),
        no_code(),
        known_faults_as_messages(),
        ending_workers(),
    ):
        checkpoint = _find_start(cfg.work_dir, resume)
        if checkpoint:
            require_readable(checkpoint)
            cfg.load_from, cfg.resume = checkpoint, True
            drop_pretrained(cfg.model)
        runner = RUNNERS.get(cfg.get('runner_type', TrashRunner.__name__)).from_cfg(cfg)
        if cfg.randomness.get('deterministic'):
            # Some CUDA backward passes have no deterministic form: name them, do not stop for them.
            torch.use_deterministic_algorithms(True, warn_only=True)
        return runner.train()


def _find_start(work_dir: str, resume: str | None) -> str | None:
    """Return the checkpoint to go on from; each process comes to the same one.

    Args:
        work_dir: Of the training.
        resume: See :func:`train`.

    Raises:
        UserError: There are checkpoints, but all are damaged.
    """
    if resume is None and not was_restarted():
        if is_first_process():
            resuming.forget_earlier_training(work_dir)
        return None
    if resume not in (None, 'auto') and not was_restarted():
        return resume
    found, damaged = resuming.find_checkpoint(work_dir)
    start = found or (None if resume == 'auto' else resume)
    if is_first_process():
        resuming.remove_left_overs(work_dir)
        for path in damaged:
            print(f'{path}: is truncated or damaged: taking {found}', flush=True)
        if start is None:
            print(f'nothing to resume in {work_dir}: starting at iteration 0', flush=True)
    return start
