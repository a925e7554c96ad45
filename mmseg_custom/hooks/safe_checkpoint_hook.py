"""Write a checkpoint before an older one is deleted."""

import operator
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import BaseStorageBackend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.checkpoints.resume import write_pointer


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, which writes before it deletes.

    MMEngine deletes the oldest checkpoint, and the best one so far, before it writes the next:
    with ``max_keep_ckpts=1``, a full disk or a kill in between leaves none. Here the disk needs
    room for one more checkpoint than is kept. Takes the arguments of ``CheckpointHook``. The
    folders that a strategy writes are still deleted first.

    A validation alone (``runner.val()`` without a training before) writes no checkpoint: there is
    nothing new to save. MMEngine's hook fails there.

    Only files in the training's own folder are ever deleted: a training that is resumed from a
    copied, moved or other folder keeps the best checkpoint there.
    """

    file_backend: '_RemoveLater'
    # MMEngine's are lambdas, with which a hook cannot be pickled.
    rule_map = {'greater': operator.gt, 'less': operator.lt}

    def before_train(self, runner: Runner) -> None:
        """Take over what the checkpoint says of this folder, and delay deletions."""
        if runner._resume:
            _make_local(runner)
        super().before_train(runner)
        self.file_backend = _RemoveLater(self.file_backend)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Write a checkpoint if it is time, then delete the oldest."""
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        self._remove_old()

    def after_train_epoch(self, runner: Runner) -> None:
        """Write a checkpoint if it is time, then delete the oldest."""
        super().after_train_epoch(runner)
        self._remove_old()

    def after_val_epoch(self, runner: Runner, metrics) -> None:
        """Write the best checkpoint if this is one, then delete the best before it."""
        if not hasattr(self, 'file_backend'):
            if self.save_best:
                runner.logger.info('validation without a training: no checkpoint is written')
            return
        super().after_val_epoch(runner, metrics)
        self._remove_old()

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        super()._save_checkpoint_with_step(runner, step, meta)
        if is_main_process():
            write_pointer(runner.work_dir, self.last_ckpt)

    def _remove_old(self) -> None:
        assert self.file_backend is not None  # since before_train
        best = getattr(self, 'best_ckpt_path_dict', {})  # of several scores
        # A validation that is repeated may write the best one under the name it had.
        new = {self.last_ckpt, getattr(self, 'best_ckpt_path', None), *best.values()}
        self.file_backend.remove_now(new)


class _RemoveLater:
    """A storage backend that delays deletions."""

    def __init__(self, backend: BaseStorageBackend):
        self._backend = backend
        self._removed: list[str] = []

    def __getattr__(self, name: str):
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self._removed.append(path)

    def remove_now(self, kept: set[str | None]) -> None:
        while self._removed:
            path = self._removed.pop()
            if path not in kept:
                self._backend.remove(path)


def _make_local(runner: Runner) -> None:
    """Let the names in a resumed checkpoint stand for files in this training's folder.

    A best checkpoint that is not here is no longer the one to beat. In another folder than the
    checkpoint's, files of the same name are those of another training.
    """
    folder, hub = Path(runner.work_dir), runner.message_hub
    if not _is_own(runner):
        hub.runtime_info.pop('keep_ckpt_ids', None)
    for key in [key for key in hub.runtime_info if key.startswith('best_ckpt')]:
        path = folder / Path(hub.get_info(key)).name
        if _is_own(runner) and path.exists():
            hub.update_info(key, str(path))
            continue
        hub.runtime_info.pop(key)
        hub.runtime_info.pop(key.replace('best_ckpt', 'best_score'), None)
        runner.logger.info(
            f'{path.name} is not in {folder}: the next validation counts as the best so far'
        )


def _is_own(runner: Runner) -> bool:
    # Without a name MMEngine looks for one in the training's own folder.
    source = Path(runner._load_from or Path(runner.work_dir, 'any'))
    return source.resolve().parent == Path(runner.work_dir).resolve()
