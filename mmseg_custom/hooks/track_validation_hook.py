"""What each validation found, for TensorBoard, W&B, MLflow and ClearML."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import BaseVisBackend, LocalVisBackend, TensorboardVisBackend
from mmengine.visualization.vis_backend import MLflowVisBackend
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from mmseg_custom.classes import class_list
from mmseg_custom.utils import write_json

from .save_predictions_hook import masks_of, side_by_side

RECORD = 'tracked_run.json'
IDENTIFY: dict[str, Callable[[Any], str]] = dict(
    wandb=lambda wandb: wandb.run.id,
    mlflow=lambda mlflow: mlflow.active_run().info.run_id,
    clearml=lambda clearml: clearml.Task.current_task().id,
)
"""What a tracker calls the present run, by the name of its package."""


@HOOKS.register_module()
class TrackValidationHook(Hook):
    """Send per-class IoU and pictures of masks to all visualization backends but the local files.

    MMEngine's ``LoggerHook`` sends the means. A resumed training continues the run of the first
    session (:mod:`mmseg_custom.apis.tracked_run`), for which the names of the runs are written
    down in ``tracked_run.json``; in TensorBoard, what was measured after the iteration that it
    continues from is hidden.

    Args:
        pictures: Number of photos, the first of the validation set, of which photo, truth and
            prediction are sent.
        height: Of these pictures, in pixels, at most.
    """

    priority = 'BELOW_NORMAL'

    def __init__(self, pictures: int = 4, height: int = 256):
        self.pictures = pictures
        self.height = height
        self._sent = 0

    def before_train(self, runner: Runner) -> None:
        """Write down the names of the runs, and hide what a resumed training repeats.

        Args:
            runner: The runner.
        """
        if not is_main_process():
            return
        path = Path(runner.log_dir, 'vis_data', RECORD)
        record = json.loads(path.read_text()) if path.exists() else {}
        for backend in _trackers(runner):
            package = getattr(backend.experiment, '__name__', '')
            if package in IDENTIFY:
                record[package] = IDENTIFY[package](backend.experiment)
            if isinstance(backend, TensorboardVisBackend) and runner.iter:
                _hide_later(backend, runner.iter + 1)
        if record:
            write_json(path, record)

    def before_val_epoch(self, runner: Runner) -> None:
        """Begin with the first photo.

        Args:
            runner: The runner.
        """
        self._sent = 0

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] | None = None,
    ) -> None:
        """Send the pictures of one batch.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: Not used.
            outputs: Samples with ``pred_sem_seg`` and ``gt_sem_seg`` of ``(1, H, W)`` labels, and
                ``img_path``.
        """
        trackers = list(_trackers(runner)) if is_main_process() else []
        for sample in outputs or ():
            if not trackers or self._sent == self.pictures:
                return
            self._sent += 1
            picture = self._draw(runner, sample)
            name = f'{Path(sample.img_path).stem}.png'
            for backend in trackers:
                # MLflow keeps files, and one of each name.
                step = f'/iter_{runner.iter:06d}' if isinstance(backend, MLflowVisBackend) else ''
                backend.add_image(f'val{step}/{name}', picture, runner.iter)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Send the IoU of each class, in percent.

        Args:
            runner: The runner.
            metrics: Not used.
        """
        report = getattr(runner.val_evaluator.metrics[0], 'report', None)
        if not report or not is_main_process():
            return
        values = zip(report['classes'], report['per_class']['IoU'], strict=True)
        found = {
            # MLflow allows few other characters.
            f'IoU/{name.replace("/", "_")}': round(100 * value, 2)
            for name, value in values
            if not math.isnan(value)
        }
        for backend in _trackers(runner):
            backend.add_scalars(found, runner.iter)

    def _draw(self, runner: Runner, sample: SegDataSample) -> np.ndarray:
        classes = class_list(runner.val_dataloader.dataset.metainfo)
        picture = side_by_side(sample.img_path, masks_of(sample), classes)
        scale = min(1, self.height / len(picture))
        return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _trackers(runner: Runner) -> Iterator[BaseVisBackend]:
    # The visualizer has no public list of its backends.
    for backend in runner.visualizer._vis_backends.values():
        if not isinstance(backend, LocalVisBackend):
            yield backend


def _hide_later(backend: TensorboardVisBackend, step: int) -> None:
    """Let TensorBoard drop what the session before wrote from a step on (its ``purge_step``)."""
    events = backend.experiment.file_writer
    events.add_event(Event(step=step, file_version='brain.Event:2'))
    events.add_event(Event(step=step, session_log=SessionLog(status=SessionLog.START)))
