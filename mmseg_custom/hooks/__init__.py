"""Registered hooks (HOOKS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .check_checkpoint_hook import CheckCheckpointHook
from .iteration_seed_hook import IterationSeedHook
from .progress_bar_hook import ProgressBarHook
from .save_metrics_hook import SaveMetricsHook
from .save_predictions_hook import SavePredictionsHook

__all__ = [
    'CheckCheckpointHook',
    'IterationSeedHook',
    'ProgressBarHook',
    'SaveMetricsHook',
    'SavePredictionsHook',
]
