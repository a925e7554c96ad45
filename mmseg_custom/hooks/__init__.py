"""Registered hooks (HOOKS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .check_checkpoint_hook import CheckCheckpointHook
from .class_weight_hook import ClassWeightHook
from .compile_backbone_hook import CompileBackboneHook
from .export_teacher_hook import ExportTeacherHook
from .iteration_seed_hook import IterationSeedHook
from .mask_annealing_hook import MaskAnnealingHook
from .non_finite_loss_hook import NonFiniteLossHook
from .non_finite_output_hook import NonFiniteOutputHook
from .progress_bar_hook import ProgressBarHook
from .resumable_early_stopping_hook import ResumableEarlyStoppingHook
from .run_record_hook import RunRecordHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .save_metrics_hook import SaveMetricsHook
from .save_predictions_hook import SavePredictionsHook
from .stop_signal_hook import StopSignalHook
from .swa_hook import SWAHook
from .track_validation_hook import TrackValidationHook

__all__ = [
    'CheckCheckpointHook',
    'ClassWeightHook',
    'CompileBackboneHook',
    'ExportTeacherHook',
    'IterationSeedHook',
    'MaskAnnealingHook',
    'NonFiniteLossHook',
    'NonFiniteOutputHook',
    'ProgressBarHook',
    'ResumableEarlyStoppingHook',
    'RunRecordHook',
    'SafeCheckpointHook',
    'SaveMetricsHook',
    'SavePredictionsHook',
    'StopSignalHook',
    'SWAHook',
    'TrackValidationHook',
]
