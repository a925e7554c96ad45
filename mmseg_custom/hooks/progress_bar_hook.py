"""Progress bars for training, validation and testing."""

import time

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.utils.progress import tqdm


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Show how far the run is, at what speed and with what loss, on the first process.

    A bar is drawn on a terminal; elsewhere (a log file, CI) a line is printed every ten seconds.
    The lines of MMEngine's logger are in the log file.
    """

    priority = 'VERY_LOW'

    def __init__(self):
        self._bars = {}

    def _open(self, runner: Runner, mode: str, total: int, done: int = 0) -> None:
        hidden = runner.rank != 0
        self._bars[mode] = tqdm(
            total=total, initial=done, desc=mode, disable=hidden, leave=mode != 'val', unit='it'
        )

    def _step(self, mode: str) -> None:
        self._bars[mode].update()

    def _close(self, mode: str) -> None:
        self._bars.pop(mode).close()

    def before_train(self, runner: Runner) -> None:
        """Open the training bar where the run (perhaps a resumed one) begins."""
        self._open(runner, 'train', runner.max_iters, runner.iter)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Move on and show the loss."""
        bar = self._bars['train']
        # Reading the loss makes a GPU wait; the bar is not drawn at each step.
        is_drawn = not bar.disable and time.time() - bar.last_print_t >= bar.mininterval
        if outputs and 'loss' in outputs and is_drawn:
            bar.set_postfix(loss=f'{float(outputs["loss"].detach()):.3f}', refresh=False)
        self._step('train')

    def after_train(self, runner: Runner) -> None:
        """Close the training bar."""
        self._close('train')

    def before_val_epoch(self, runner: Runner) -> None:
        """Open a bar for this validation."""
        self._open(runner, 'val', len(runner.val_dataloader))

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Move on."""
        self._step('val')

    def after_val_epoch(self, runner: Runner, metrics=None) -> None:
        """Close the validation bar."""
        self._close('val')

    def before_test_epoch(self, runner: Runner) -> None:
        """Open the test bar."""
        self._open(runner, 'test', len(runner.test_dataloader))

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Move on."""
        self._step('test')

    def after_test_epoch(self, runner: Runner, metrics=None) -> None:
        """Close the test bar."""
        self._close('test')
