"""Registered hooks (HOOKS)."""

from .check_checkpoint_hook import CheckCheckpointHook
from .iteration_seed_hook import IterationSeedHook
from .progress_bar_hook import ProgressBarHook
from .save_predictions_hook import SavePredictionsHook

__all__ = ['CheckCheckpointHook', 'IterationSeedHook', 'ProgressBarHook', 'SavePredictionsHook']
