"""Registered metrics (METRICS)."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .trash_iou_metric import TrashIoUMetric

__all__ = ['TrashIoUMetric']
