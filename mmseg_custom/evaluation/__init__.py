"""Registered metrics (METRICS)."""

from .trash_iou_metric import TrashIoUMetric

__all__ = ['TrashIoUMetric']
