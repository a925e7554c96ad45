"""Training from a config."""

import urllib.error

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import find_latest_checkpoint
from torch import nn

from mmseg_custom.apis.runner import TrashRunner
from mmseg_custom.utils import UserError
from mmseg_custom.utils.checkpoint import require_readable
from mmseg_custom.utils.experiment import drop_pretrained
from mmseg_custom.utils.launch import is_first_process


def train(cfg: Config, resume: str | None = None) -> nn.Module:
    """Train the model of ``cfg``, from the start or from where a run was stopped.

    Args:
        cfg: A whole experiment, fitted to the machine
            (:func:`mmseg_custom.utils.launch.fit_to_machine`).
        resume: None: start. ``'auto'``: go on from the latest checkpoint in ``cfg.work_dir``, or
            start where there is none. Else the checkpoint to go on from.

    Returns:
        nn.Module: The trained model.

    Raises:
        UserError: Wrong data, a wrong checkpoint, or pretrained weights that cannot be fetched.
    """
    if resume == 'auto':
        resume = find_latest_checkpoint(cfg.work_dir)
        if resume is None and is_first_process():
            print(f'nothing to resume in {cfg.work_dir}: starting at iteration 0', flush=True)
    if resume:
        require_readable(resume)
        cfg.load_from, cfg.resume = resume, True
        drop_pretrained(cfg.model)
    runner = RUNNERS.get(cfg.get('runner_type', TrashRunner.__name__)).from_cfg(cfg)
    if cfg.randomness.get('deterministic'):
        # Some CUDA backward passes have no deterministic form: name them, do not stop for them.
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        return runner.train()
    except urllib.error.URLError as error:
        raise UserError(
            f'the pretrained weights cannot be fetched ({error.reason}): connect to the network, '
            'or put the file into ~/.cache/torch/hub/checkpoints, or train from random weights '
            'with --no-pretrained'
        ) from error
    except ValueError as error:
        if 'more than 1 value per channel' not in str(error):
            raise
        raise UserError(
            'a batch of 1 photo per process is too small for BatchNorm in this model: '
            'take --batch-size 2 or more'
        ) from error
