"""Write a checkpoint before an older one is deleted."""

from mmengine.fileio import BaseStorageBackend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, which writes before it deletes.

    MMEngine deletes the oldest checkpoint, and the best one so far, before it writes the next:
    with ``max_keep_ckpts=1``, a full disk or a kill in between leaves none. Here the disk needs
    room for one more checkpoint than is kept. Takes the arguments of ``CheckpointHook``. The
    folders that DeepSpeed writes are still deleted first.

    A validation alone (``runner.val()`` without a training before) writes no checkpoint: there is
    nothing new to save. MMEngine's hook fails there.
    """

    file_backend: '_RemoveLater | None' = None

    def before_train(self, runner: Runner) -> None:
        """Delay deletions from now on."""
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
        if self.file_backend is None:
            if self.save_best:
                runner.logger.info('validation without a training: no checkpoint is written')
            return
        super().after_val_epoch(runner, metrics)
        self._remove_old()

    def _remove_old(self) -> None:
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
