"""Deciding from which checkpoint a training continues, and whether it still is that training."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from mmseg_custom.checkpoints import resume, work_folder
from mmseg_custom.checkpoints.checkpoint import require_readable
from mmseg_custom.checkpoints.safe_load import read_checkpoint
from mmseg_custom.experiment.changes import (
    OPTIMIZER,
    Change,
    annotation_changes,
    annotation_digests,
    table_of,
    training_changes,
)
from mmseg_custom.experiment.launch import is_first_process, was_restarted, world_size
from mmseg_custom.utils import UserError
from mmseg_custom.utils.plain_data import from_json


@dataclass(frozen=True)
class Start:
    """Where a training begins.

    Attributes:
        checkpoint: The checkpoint that it continues from, None for iteration 0.
        changes: In what the experiment differs from the checkpoint's.
        iteration: The checkpoint's, as far as it is known.
    """

    checkpoint: str | None = None
    changes: list[Change] = field(default_factory=list)
    iteration: int = 0

    def continues(self, work_dir: str) -> bool:
        """Return whether the checkpoint is of the training in this folder."""
        folder = Path(self.checkpoint).resolve().parent if self.checkpoint else None
        return folder == Path(work_dir).resolve()

    @property
    def rebuilds_schedule(self) -> bool:
        """Whether the learning rates to come are not those of the checkpoint's schedule."""
        return any(change.is_schedule for change in self.changes)

    @property
    def restarts_optimizer(self) -> bool:
        """Whether another optimizer begins, which knows nothing of the old one's state."""
        return any(change.key == OPTIMIZER for change in self.changes)


def find_start(cfg: Config, wanted: str | None, allow_changes: bool = False) -> Start:
    """Return where a training begins; each process comes to the same answer.

    Args:
        cfg: The experiment.
        wanted: None: from the start. ``'auto'``: from the latest complete checkpoint in
            ``cfg.work_dir``, or from the start if no training ever wrote one. Else the checkpoint.
        allow_changes: Continue although the experiment has changed.

    Raises:
        UserError: There are checkpoints, but none to continue from, the one is damaged, or
            the experiment is not the checkpoint's.
    """
    checkpoint = _find_checkpoint(cfg.work_dir, wanted)
    if checkpoint is None:
        return Start()
    if os.path.isdir(checkpoint):
        _say(f'{checkpoint}: is a folder (FSDP, DeepSpeed): not compared with the experiment')
        return Start(checkpoint)
    require_readable(checkpoint)
    content = read_checkpoint(checkpoint)
    meta = content.get('meta', {}) if isinstance(content, Mapping) else {}
    _require_further(checkpoint, meta, cfg)
    if 'experiment' not in meta:
        _say(f'{checkpoint}: holds no experiment, so that nothing can be compared with it')
        return Start(checkpoint, iteration=meta.get('iter', 0))
    changes = _changes(cfg, meta)
    _judge(checkpoint, changes, allow_changes)
    return Start(checkpoint, changes, meta.get('iter', 0))


def _find_checkpoint(work_dir: str, wanted: str | None) -> str | None:
    # A launcher starts a training again after a fault with the same command line.
    if wanted is None and (not was_restarted() or work_folder.has_unconfirmed(work_dir)):
        return None
    if wanted not in (None, 'auto') and not was_restarted():
        return wanted
    if is_first_process():
        work_folder.undo_interrupted_move(work_dir)
        resume.remove_left_overs(work_dir)
    found, damaged = resume.find_checkpoint(work_dir)
    for path in damaged:
        _say(f'{path}: is truncated or damaged: taking {found}')
    if found is None and wanted == 'auto':
        _require_none(work_dir)
        _say(f'nothing to resume in {work_dir}: starting at iteration 0')
    return found or (None if wanted == 'auto' else wanted)


def _require_none(work_dir: str) -> None:
    others = work_folder.checkpoints_below(work_dir)
    if others:
        names = ', '.join(str(path.relative_to(work_dir)) for path in others)
        raise UserError(
            f'{work_dir}: nothing to resume: no last_checkpoint is there that names one of its '
            f'checkpoints ({names})',
            kind='bad-resume',
        )


def _require_further(checkpoint: str, meta: Mapping, cfg: Config) -> None:
    done, wanted = meta.get('iter'), (cfg.get('train_cfg') or {}).get('max_iters')
    if done and wanted and done > wanted:
        raise UserError(
            f'{checkpoint}: is at iteration {done}, and the training shall have {wanted}; '
            'take an earlier checkpoint, or train for longer'
        )


def _changes(cfg: Config, meta: Mapping) -> list[Change]:
    before = from_json(meta['experiment'])
    changes = training_changes(before, cfg.to_dict())
    changes += annotation_changes(meta.get('annotations'), annotation_digests(cfg))
    if meta.get('processes', world_size()) != world_size():
        changes.append(Change('processes', meta['processes'], world_size()))
    return changes


def _judge(checkpoint: str, changes: list[Change], allow_changes: bool) -> None:
    if not changes:
        return
    _say(f'changed since {checkpoint}:\n{table_of(changes)}')
    other = [change.key for change in changes if not change.is_length]
    if other and not allow_changes:
        raise UserError(
            f'{checkpoint}: the experiment that shall continue it differs in {len(other)} values '
            f'({", ".join(other[:3])}{", …" if len(other) > 3 else ""}): resume with the same one',
            kind='changed-experiment',
        )


def _say(text: str) -> None:
    if is_first_process():
        print(text, flush=True)
