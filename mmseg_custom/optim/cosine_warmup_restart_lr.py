"""Cosine annealing in cycles that each begin with a warm-up."""

import math

from mmengine.optim import _ParamScheduler
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF
from mmseg.registry import PARAM_SCHEDULERS

from mmseg_custom.utils import UserError


@PARAM_SCHEDULERS.register_module()
class CosineWarmupRestartLR(LRSchedulerMixin, _ParamScheduler):
    """SGDR (Loshchilov & Hutter, ICLR 2017) with a linear warm-up in every cycle.

    A cycle rises from the floor to its peak in ``T_up`` steps and falls back along a cosine. The
    first peak is the optimizer's learning rate. MMEngine's ``CosineRestartLR`` starts each cycle at
    its peak, and its ``LinearLR`` only scales what is there, so that both together warm up the
    first cycle alone. The value is a function of the step, not of the value before it.

    Args:
        optimizer: Optimizer or optimizer wrapper.
        T_0: Steps of the first cycle, its warm-up included.
        T_up: Steps of each warm-up, less than ``T_0``.
        T_mult: Ratio of the part of a cycle after its warm-up to that of the cycle before, at
            least 1.
        gamma: Ratio of a peak to the peak before it, in (0, 1].
        eta_min_ratio: The floor as a fraction of the optimizer's learning rate, in [0, 1).
        **kwargs: ``begin``, ``end``, ``by_epoch``, ``last_step``, ``verbose`` of MMEngine's
            schedulers.

    Raises:
        UserError: A value outside its range.
    """

    def __init__(
        self,
        optimizer,
        T_0: int,
        T_up: int = 0,
        T_mult: float = 1,
        gamma: float = 1.0,
        eta_min_ratio: float = 0.0,
        **kwargs,
    ):
        for is_right, rule in (
            (0 <= T_up < T_0, f'T_up {T_up} is not in [0, T_0), T_0 is {T_0}'),
            (T_mult >= 1, f'T_mult {T_mult} is not at least 1'),
            (0 < gamma <= 1, f'gamma {gamma} is not in (0, 1]'),
            (0 <= eta_min_ratio < 1, f'eta_min_ratio {eta_min_ratio} is not in [0, 1)'),
        ):
            if not is_right:
                raise UserError(f'CosineWarmupRestartLR: {rule}')
        self.T_0, self.T_up, self.T_mult = T_0, T_up, T_mult
        self.gamma, self.eta_min_ratio = gamma, eta_min_ratio
        super().__init__(optimizer, **kwargs)

    @classmethod
    def build_iter_from_epoch(
        cls,
        optimizer,
        *,
        T_0: int,
        T_up: int = 0,
        begin: int = 0,
        end: int = INF,
        by_epoch: bool = True,
        epoch_length: int | None = None,
        **kwargs,
    ) -> 'CosineWarmupRestartLR':
        """Build a schedule that counts iterations from options that count epochs.

        MMEngine calls this for a config with ``convert_to_iter_based=True``.

        Args:
            optimizer: As the class.
            T_0: Epochs of the first cycle.
            T_up: Epochs of each warm-up.
            begin: First epoch.
            end: Epoch after the last one.
            by_epoch: Must be True.
            epoch_length: Iterations per epoch, at least 1.
            **kwargs: As the class.

        Raises:
            UserError: The options count iterations already, or the length of an epoch is unknown.
        """
        if not by_epoch or not epoch_length:
            raise UserError(
                f'CosineWarmupRestartLR: by_epoch={by_epoch} with epoch_length={epoch_length}: '
                'convert_to_iter_based needs by_epoch=True and a training set of known length'
            )
        return cls(
            optimizer,
            T_0=T_0 * epoch_length,
            T_up=T_up * epoch_length,
            begin=begin * epoch_length,
            end=end if end == INF else end * epoch_length,
            by_epoch=False,
            **kwargs,
        )

    def _get_value(self) -> list[float]:
        """Return the learning rate of each group at ``last_step``."""
        cycle, step, fall = 0, self.last_step, float(self.T_0 - self.T_up)
        while step >= self.T_up + fall:
            step -= self.T_up + fall
            fall *= self.T_mult
            cycle += 1
        if step < self.T_up:
            height = step / self.T_up
        else:
            height = (1 + math.cos(math.pi * (step - self.T_up) / fall)) / 2
        peak, floor = self.gamma**cycle, self.eta_min_ratio
        return [base * (floor + (peak - floor) * height) for base in self.base_values]
