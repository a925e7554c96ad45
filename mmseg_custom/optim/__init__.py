"""Registered optimizers (OPTIMIZERS), schedules (PARAM_SCHEDULERS) and wrapper constructors."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .cosine_warmup_restart_lr import CosineWarmupRestartLR
from .layer_decay_optim_wrapper_constructor import LayerDecayOptimWrapperConstructor
from .lookahead import Lookahead
from .rectified_adam import RectifiedAdam
from .two_stage_warmup_poly_lr import TwoStageWarmupPolyLR

__all__ = [
    'CosineWarmupRestartLR',
    'LayerDecayOptimWrapperConstructor',
    'Lookahead',
    'RectifiedAdam',
    'TwoStageWarmupPolyLR',
]
