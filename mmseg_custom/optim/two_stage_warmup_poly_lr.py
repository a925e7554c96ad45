"""Polynomial decay with one warm-up for the head and a later one for the encoder."""

from mmengine.optim import _ParamScheduler
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmseg.registry import PARAM_SCHEDULERS

from mmseg_custom.utils import UserError


@PARAM_SCHEDULERS.register_module()
class TwoStageWarmupPolyLR(LRSchedulerMixin, _ParamScheduler):
    """The schedule of EoMT (Kerssies et al., CVPR 2025).

    Heads and queries warm up linearly in ``T_up`` steps, then decay as ``(1 - progress) ** power``
    to 0 at ``end``. The encoder stands still in these steps, warms up in the next
    ``T_up_encoder``, and then decays alike. :class:`LayerDecayOptimWrapperConstructor` says which
    parameters are the encoder's.

    Args:
        optimizer: Optimizer or optimizer wrapper.
        T_up: Steps of the first warm-up, at least 0.
        T_up_encoder: Steps of the encoder's warm-up, at least 0.
        power: Exponent of the decay.
        **kwargs: ``begin``, ``end``, ``by_epoch``, ``last_step``, ``verbose`` of MMEngine's
            schedulers.

    Raises:
        UserError: The warm-ups do not end before the training, or the optimizer's groups do not
            say which of them are the encoder's.
    """

    def __init__(
        self, optimizer, T_up: int = 500, T_up_encoder: int = 1000, power: float = 0.9, **kwargs
    ):
        self.T_up, self.T_up_encoder, self.power = T_up, T_up_encoder, power
        steps = kwargs['end'] - kwargs.get('begin', 0)
        if not 0 <= T_up <= T_up + T_up_encoder < steps:
            raise UserError(
                f'TwoStageWarmupPolyLR: T_up {T_up} and T_up_encoder {T_up_encoder} do not end '
                f'within the {steps} steps of the schedule'
            )
        if not any('is_encoder' in group for group in optimizer.param_groups):
            raise UserError(
                'TwoStageWarmupPolyLR: needs optim_wrapper.constructor='
                "'LayerDecayOptimWrapperConstructor', which says what the encoder is"
            )
        super().__init__(optimizer, **kwargs)

    def _get_value(self) -> list[float]:
        """Return the learning rate of each group at ``last_step``."""
        factors = {
            False: self._factor(self.last_step, self.T_up),
            True: self._factor(self.last_step - self.T_up, self.T_up_encoder, self.T_up),
        }
        groups = self.optimizer.param_groups
        return [
            # MMEngine adds a group without parameters for the rate that it logs.
            base * factors[group.get('is_encoder', False)]
            for base, group in zip(self.base_values, groups, strict=True)
        ]

    def _factor(self, step: int, warmup: int, before: int = 0) -> float:
        """Return the factor ``step`` steps after a warm-up began, ``before`` steps late."""
        if step < 0:
            return 0.0
        if step < warmup:
            return step / warmup
        decaying = self.end - self.begin - before - warmup
        return max(0.0, 1 - (step - warmup) / decaying) ** self.power
