"""Registered optimizers (OPTIMIZERS), their wrappers, schedules (PARAM_SCHEDULERS), strategies."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .cosine_warmup_restart_lr import CosineWarmupRestartLR
from .cpu_amp_optim_wrapper import CpuAmpOptimWrapper
from .layer_decay_optim_wrapper_constructor import LayerDecayOptimWrapperConstructor
from .learning_parameters_constructor import LearningParametersConstructor
from .lookahead import Lookahead
from .rectified_adam import RectifiedAdam
from .trash_fsdp_strategy import TrashFSDPStrategy
from .two_stage_warmup_poly_lr import TwoStageWarmupPolyLR

__all__ = [
    'CosineWarmupRestartLR',
    'CpuAmpOptimWrapper',
    'LayerDecayOptimWrapperConstructor',
    'LearningParametersConstructor',
    'Lookahead',
    'RectifiedAdam',
    'TrashFSDPStrategy',
    'TwoStageWarmupPolyLR',
]
