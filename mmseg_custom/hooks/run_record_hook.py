"""What a training writes down about itself: in its work folder and in each checkpoint."""

import os
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.checkpoints import work_folder
from mmseg_custom.coco.photo_identity import file_identity, identities
from mmseg_custom.datasets.photo_paths import photo_paths, shared_photos
from mmseg_custom.datasets.samplers import SeededInfiniteSampler
from mmseg_custom.utils import UserError, atomic_path
from mmseg_custom.utils.plain_data import to_json, without_configs

PLACES = ('best_ckpt', 'last_ckpt')


def config_name(runner: Runner) -> str:
    """Return the name under which a work folder keeps the experiment of its training."""
    name = Path(runner.cfg.filename or 'config.py')
    return f'{name.stem}.py'


@HOOKS.register_module()
class RunRecordHook(Hook):
    """Let a checkpoint say what it was made from, and a work folder hold one training.

    A checkpoint's ``meta`` gets ``experiment`` (the config as JSON text: plain data, nothing that
    could run), ``origin`` (the folder that its relative paths start at), ``validation_photos``
    (see :func:`~mmseg_custom.coco.photo_identity.photo_identity`), ``annotations`` (digests of the
    files), ``photos_seen`` and ``processes``; paths to checkpoints are names in its own folder.
    With its first checkpoint or validation, a training moves what an earlier one wrote in the same
    folder aside. ``tools/train.py`` adds this hook to every training.

    Args:
        continues: Whether the training continues the one in its work folder.
        allow_leak: Train on photos of the validation set all the same.
        annotations: SHA-256 of the annotation files by data loader, for ``meta``.

    Raises:
        UserError: Photos of the validation set are trained on.
    """

    priority = 'HIGHEST'

    def __init__(
        self,
        continues: bool = False,
        allow_leak: bool = False,
        annotations: dict[str, list[str]] | None = None,
    ):
        self.continues = continues
        self.allow_leak = allow_leak
        self._is_training = self._owns_folder = self._is_written_down = False
        self._first_iteration = self._first_photo = 0
        self._record: dict = dict(annotations=dict(annotations or {}))

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep how many photos the training had seen.

        Args:
            runner: The runner.
            checkpoint: What was loaded.
        """
        if runner._resume:
            self._first_iteration = checkpoint['meta']['iter']
            seen = self._first_iteration * self._photos_per_iteration(runner)
            self._first_photo = checkpoint['meta'].get('photos_seen', seen)
            if self._first_photo != seen:
                self._keep_photo_order(runner)

    def before_train(self, runner: Runner) -> None:
        """Compare training and validation photos, and mark a new training in a used folder.

        Args:
            runner: The runner.
        """
        self._is_training = True
        self._record |= self._describe(runner)
        if not is_main_process():
            return
        work_folder.undo_interrupted_move(runner.work_dir)
        self._owns_folder = not work_folder.has_training(runner.work_dir)
        if self.continues:
            self._owns_folder = not self._later(runner)
        if not self._owns_folder and not self.continues:
            work_folder.mark_unconfirmed(runner.log_dir)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the record into the checkpoint, and take the work folder over with the first one.

        Args:
            runner: The runner.
            checkpoint: What will be written.
        """
        meta = checkpoint['meta']
        # MMEngine's is Python text, with the paths of this machine.
        meta.pop('cfg', None)
        seen = (meta['iter'] - self._first_iteration) * self._photos_per_iteration(runner)
        meta.update(self._record, photos_seen=self._first_photo + seen, processes=runner.world_size)
        information = checkpoint['message_hub']['runtime_info']
        for key, value in information.items():
            if key.startswith(PLACES) and isinstance(value, str):
                information[key] = Path(value).name
        # Parts of the config that datasets and schedulers keep would make it a file that runs code.
        for key in checkpoint.keys() - {'state_dict'}:
            checkpoint[key] = without_configs(checkpoint[key])
        self._take_over(runner)
        self._write_down(runner)

    def _write_down(self, runner: Runner) -> None:
        """Write the experiment, once a session, as a config into the work folder."""
        if self._is_written_down or not is_main_process():
            return
        with atomic_path(Path(runner.work_dir, config_name(runner))) as temporary:
            runner.cfg.dump(temporary)
        self._is_written_down = True

    def before_val_epoch(self, runner: Runner) -> None:
        """Take the work folder over, in which the validation will be written down.

        Args:
            runner: The runner.
        """
        if self._is_training:
            self._take_over(runner)

    def _keep_photo_order(self, runner: Runner) -> None:
        """Continue behind the photos that were seen with another batch size or process count."""
        sampler = runner.train_dataloader.sampler
        if isinstance(sampler, SeededInfiniteSampler):
            sampler.photos_seen = self._first_photo
            what = f'continuing the order of photos behind the {self._first_photo} seen so far'
        else:
            what = f'{type(sampler).__name__} does not keep the order of photos'
        runner.logger.info(f'another batch size or number of processes: {what}')

    def _describe(self, runner: Runner) -> dict:
        record: dict = dict(origin=os.getcwd())
        experiment = runner.cfg.to_dict()
        experiment['custom_hooks'] = [
            hook for hook in experiment['custom_hooks'] if hook['type'] != type(self).__name__
        ]
        try:
            record['experiment'] = to_json(experiment)
        except TypeError as error:
            runner.logger.warning(
                f'the checkpoints will not carry their experiment: {error}; keep the config'
            )
        if runner.val_loop is not None:
            paths = photo_paths(runner.val_loop.dataloader.dataset)
            self._compare(runner, paths)
            found = identities(paths, file_identity, 'validation photos')
            record['validation_photos'] = [one for one in found if one]
        return record

    def _compare(self, runner: Runner, validation: list[str]) -> None:
        leaked = shared_photos(photo_paths(runner.train_dataloader.dataset), validation)
        if not leaked:
            return
        what = (
            f'{len(leaked)} of {len(validation)} validation photos are also trained on, so that '
            f'the scores say nothing (first: {leaked[0]})'
        )
        if not self.allow_leak:
            raise UserError(what, kind='leaked-photos')
        runner.logger.warning(f'{what}; allowed')

    def _take_over(self, runner: Runner) -> None:
        if self._owns_folder or not is_main_process():
            return
        session = Path(runner.log_dir)
        later = self._first_iteration if self.continues else None
        moved = work_folder.move_aside(runner.work_dir, session.name, later)
        work_folder.confirm(session)
        self._owns_folder = True
        if moved:
            what = f'what came after iteration {later}' if later else 'an earlier training'
            runner.logger.info(f'{runner.work_dir}: {what} was moved to {moved}')

    def _later(self, runner: Runner) -> bool:
        """Return whether the folder has checkpoints or validations behind the resumed one."""
        steps = work_folder.steps_in(runner.work_dir)
        return any(step > self._first_iteration for step in steps)

    @staticmethod
    def _photos_per_iteration(runner: Runner) -> int:
        return (runner.train_dataloader.batch_size or 1) * runner.world_size
