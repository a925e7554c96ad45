"""Train a model from a config."""

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS
from torch import nn

from mmseg_custom import plugins  # noqa: F401  (registers what configs name)
from mmseg_custom.apis.runner import TrashRunner
from mmseg_custom.checkpoints import safe_mmengine_files
from mmseg_custom.checkpoints.safe_load import no_code
from mmseg_custom.experiment.changes import annotation_digests
from mmseg_custom.experiment.config import drop_pretrained
from mmseg_custom.experiment.same_run import require_same_run
from mmseg_custom.utils import UserError
from mmseg_custom.utils.stop_signal import stopping_on_signal

from .complaints import naming_the_key
from .failed_start import removing_failed_start
from .resuming import Start, find_start
from .training_faults import ending_workers, known_faults_as_messages


def train(
    cfg: Config,
    resume: str | None = None,
    allow_changes: bool = False,
    allow_leak: bool = False,
) -> nn.Module:
    """Train the model of ``cfg``, from the start or from where a run was stopped.

    Where a launcher has started the training again after a fault (torchrun's ``--max-restarts``, a
    job that Slurm has queued again), it continues from the latest checkpoint in any case.

    Args:
        cfg: A complete experiment, fitted to the machine
            (:func:`mmseg_custom.experiment.launch.fit_to_machine`).
        resume: None: start. ``'auto'``: continue from the latest complete checkpoint in
            ``cfg.work_dir``, or start where there is none. Else the checkpoint to continue from.
        allow_changes: Resume although the experiment differs from the checkpoint's.
        allow_leak: Train although photos of the validation set are among the training photos.

    Returns:
        nn.Module: The trained model.

    Raises:
        UserError: Wrong data, a wrong checkpoint, pretrained weights that cannot be fetched, a
            loss that is not finite, a full disk, or a process that is gone.
        TrainingStopped: SIGTERM or Ctrl-C came, and a checkpoint is written.
    """
    with (
        stopping_on_signal(),
        removing_failed_start(cfg.work_dir),
        safe_mmengine_files(),
        no_code(),
        naming_the_key(cfg),
        known_faults_as_messages(),
        ending_workers(),
    ):
        start = find_start(cfg, resume, allow_changes)
        if start.checkpoint:
            cfg.load_from, cfg.resume = start.checkpoint, True
            drop_pretrained(cfg.model)
        annotations = annotation_digests(cfg)
        _add_record(cfg, start, allow_leak, annotations)
        kind = cfg.get('runner_type', TrashRunner.__name__)
        if start.rebuilds_schedule and kind != TrashRunner.__name__:
            raise UserError(f'{kind} cannot change the schedule of a training that is resumed')
        runner = RUNNERS.get(kind).from_cfg(cfg)
        runner.rebuilds_schedule = start.rebuilds_schedule
        runner.restarts_optimizer = start.restarts_optimizer
        if cfg.get('randomness', {}).get('deterministic'):
            # Some CUDA backward passes have no deterministic form: name them, do not stop for them.
            torch.use_deterministic_algorithms(True, warn_only=True)
        require_same_run(cfg, annotations)
        with naming_the_key(cfg, start.iteration), known_faults_as_messages():
            return runner.train()


def _add_record(cfg: Config, start: Start, allow_leak: bool, annotations: dict) -> None:
    """Let every training, also that of a plain MMSegmentation config, keep its record."""
    checkpoint = cfg.get('default_hooks', {}).get('checkpoint')
    if checkpoint and checkpoint.get('type') == 'CheckpointHook':
        checkpoint.type = 'SafeCheckpointHook'
    record = dict(
        type='RunRecordHook',
        continues=start.continues(cfg.work_dir),
        allow_leak=allow_leak,
        annotations=annotations,
    )
    hooks = [hook for hook in cfg.get('custom_hooks') or [] if hook.type != record['type']]
    cfg.custom_hooks = [*hooks, record]
