"""The mean of the weights of the end of a training."""

from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.utils import UserError


@HOOKS.register_module()
class SWAHook(EMAHook):
    """Stochastic weight averaging (Izmailov et al., UAI 2018): MMEngine's, begun at a fraction.

    ``EMAHook`` counts the iteration at which the mean begins, so that a shorter training
    (``--epochs``) would never come to it. Buffers, such as the statistics of BatchNorm, are
    averaged too.

    Args:
        begin: Fraction of the training before the mean begins, in [0, 1).

    Raises:
        UserError: ``begin`` is outside its range.
    """

    def __init__(self, begin: float = 0.75):
        super().__init__(ema_type='StochasticWeightAverage', update_buffers=True)
        if not 0 <= begin < 1:
            raise UserError(f'SWAHook: begin {begin} is not in [0, 1)')
        self.begin = begin

    def before_train(self, runner: Runner) -> None:
        """Count the iterations before the mean: the first that it holds comes after them."""
        self.begin_iter = round(self.begin * runner.max_iters) + 1
