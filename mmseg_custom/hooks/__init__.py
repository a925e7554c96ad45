"""Registered hooks (HOOKS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .check_checkpoint_hook import CheckCheckpointHook
from .class_weight_hook import ClassWeightHook
from .compile_backbone_hook import CompileBackboneHook
from .iteration_seed_hook import IterationSeedHook
from .progress_bar_hook import ProgressBarHook
from .save_metrics_hook import SaveMetricsHook
from .save_predictions_hook import SavePredictionsHook
from .swa_hook import SWAHook

__all__ = [
    'CheckCheckpointHook',
    'ClassWeightHook',
    'CompileBackboneHook',
    'IterationSeedHook',
    'ProgressBarHook',
    'SaveMetricsHook',
    'SavePredictionsHook',
    'SWAHook',
]
