"""Counting for mIoU, against mmseg's IoUMetric on the same tensors."""

import numpy as np
import torch
from mmseg.evaluation import IoUMetric

from mmseg_custom.evaluation import TrashIoUMetric
from mmseg_custom.transforms import LoadTrashAnnotations

from .photos import load_photos
from .timing import Comparison, compare


def run() -> Comparison:
    """Compare ``process``; ours also measures the boundary IoU, mmseg's does not."""
    dataset, what = load_photos()
    load = LoadTrashAnnotations()
    samples = []
    for index in range(len(dataset)):
        truth = load(dataset.get_data_info(index))['gt_seg_map'].astype(np.int64)
        prediction = np.roll(truth, 7, axis=(0, 1))
        samples.append(
            dict(
                gt_sem_seg=dict(data=torch.from_numpy(truth)[None]),
                pred_sem_seg=dict(data=torch.from_numpy(prediction)[None]),
            )
        )
    ours, peer = TrashIoUMetric(), IoUMetric()
    for metric in (ours, peer):
        metric.dataset_meta = dataset.metainfo

    def work(metric):
        metric.results.clear()
        for sample in samples:
            metric.process({}, [sample])

    return compare(
        f'IoU metric with boundary IoU ({what}, 11 classes)',
        lambda: work(ours),
        "mmseg's IoUMetric",
        lambda: work(peer),
        len(samples),
        goal=0.25,
    )
