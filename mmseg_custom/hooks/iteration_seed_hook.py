"""The same random numbers in an iteration, however the run came to it."""

from mmengine.hooks import Hook
from mmseg.registry import HOOKS

from mmseg_custom.utils.seeding import ITERATION, seed_everything


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seed the generators before each training iteration from (seed, iteration, rank).

    Dropout and stochastic depth then draw the same numbers in a resumed run as in an uninterrupted
    one, with no generator state in the checkpoint; a validation in between changes nothing. Goes
    with :class:`~mmseg_custom.datasets.SeededInfiniteSampler`, which does this for the samples.
    """

    priority = 'VERY_HIGH'

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Seed ``random``, NumPy and PyTorch (CPU and GPU)."""
        seed_everything(ITERATION, runner.seed, runner.iter, runner.rank)
