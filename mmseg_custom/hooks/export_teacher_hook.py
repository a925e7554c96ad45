"""The teacher of a mean-teacher training as an ordinary checkpoint."""

import os
from pathlib import Path

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.checkpoints.checkpoint import state_of
from mmseg_custom.checkpoints.meta import record_of
from mmseg_custom.checkpoints.safe_load import load_checkpoint
from mmseg_custom.utils import UserError, atomic_path
from mmseg_custom.utils.plain_data import from_json, to_json

PREFIX = 'teacher.module.'


@HOOKS.register_module()
class ExportTeacherHook(Hook):
    """Write ``teacher.pth`` in the work folder when the training ends.

    It is the teacher of the best checkpoint, or of the last when nothing was validated, in the
    layout of the student's plain config, so that the online config is not needed to use it.
    """

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Export from the checkpoint that ``CheckpointHook`` wrote."""
        said = [runner.message_hub.get_info(name) for name in ('best_ckpt', 'last_ckpt')]
        # A work folder may have been moved before the training was resumed.
        path = next(path for path in said if path and os.path.isfile(path))
        out = Path(runner.work_dir, 'teacher.pth')
        export_teacher(path, out)
        runner.logger.info(f'{out}: the teacher of {path}')


def export_teacher(checkpoint: str | os.PathLike, out: str | os.PathLike) -> None:
    """Write the teacher in a checkpoint of :class:`MeanTeacherSegmentor` as one of its own.

    Args:
        checkpoint: The ``.pth`` file.
        out: The file to write; its ``meta`` is the checkpoint's record, with the plain
            model in place of the mean teacher.

    Raises:
        UserError: There is no teacher in the checkpoint.
    """
    content = load_checkpoint(checkpoint)
    weights = {
        name.removeprefix(PREFIX): value
        for name, value in state_of(content).items()
        if name.startswith(PREFIX)
    }
    if not weights:
        raise UserError(f'{checkpoint}: has no teacher; name one of a MeanTeacherSegmentor')
    meta = record_of(content)
    if 'experiment' in meta:
        experiment = from_json(meta['experiment'])
        experiment['model'] = experiment['model'].get('segmentor', experiment['model'])
        meta['experiment'] = to_json(experiment)
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=weights, meta=meta), temporary)
