"""IoU of a whole data set from one confusion matrix."""

import logging
import warnings
from collections.abc import Sequence

import numpy as np
import torch
import torch.distributed as torch_dist
from mmengine.dist import get_dist_info, is_distributed
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
from prettytable import PrettyTable

from mmseg_custom.coco import IGNORE_INDEX

from .confusion import boundary_areas, confusion_matrix

# Below the confusion matrix: the boundary areas (3) and the number of images with a truth.
EXTRA_ROWS = 4


@METRICS.register_module()
class TrashIoUMetric(BaseMetric):
    """mmseg's ``IoUMetric`` at a fraction of its time, in constant memory, and with more to say.

    The numbers are computed by mmseg's own formulas from one confusion matrix that is summed over
    the images and, at the end, over the processes. Images that the sampler repeats to give every
    process as many count once.

    A class that occurs neither in the truth nor in the predictions has no IoU. ``mIoU`` is the mean
    over the classes that have one, as in mmseg; ``mIoU_all`` divides by all classes, as the
    contest, where every class occurs. The absent ones are named in a warning, and the two are
    equal when there is none.

    Results in percent, rounded to 2 digits: ``aAcc``, ``mIoU``, ``mIoU_all``, ``mAcc``, ``mF1``
    (mmseg's ``mDice``), ``mPrecision``, ``mRecall``, and ``mBoundaryIoU`` (Cheng et al., CVPR
    2021).
    :attr:`report` holds the per-class values and the confusion matrix afterwards.

    Args:
        ignore_index: Label in the truth that does not count.
        boundary: Whether to measure boundary IoU too.
        prefix: Put before the names of the results.
    """

    def __init__(
        self, ignore_index: int = IGNORE_INDEX, boundary: bool = True, prefix: str | None = None
    ):
        super().__init__(prefix=prefix)
        self.ignore_index = ignore_index
        self.boundary = boundary
        self.report: dict | None = None
        self._reset()

    def _reset(self) -> None:
        self._sum: np.ndarray | int = 0
        # Only the last image of a process can be one that the sampler repeated, and whether it was
        # is known at the end.
        self._last: np.ndarray | int = 0
        self._seen = 0
        self.results.clear()

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count a batch.

        Args:
            data_batch: Not used.
            data_samples: Each with ``pred_sem_seg`` and ``gt_sem_seg`` of ``(1, H, W)`` labels.
        """
        num_classes = len(self.dataset_meta['classes'])
        for sample in data_samples:
            prediction = _labels(sample['pred_sem_seg'])
            counts = np.zeros((num_classes + EXTRA_ROWS, num_classes), np.int64)
            if 'gt_sem_seg' in sample:
                counts[-1, 0] = 1
                truth = _labels(sample['gt_sem_seg'])
                if self.ignore_index != IGNORE_INDEX:
                    truth = np.where(truth == self.ignore_index, np.uint8(IGNORE_INDEX), truth)
                counts[:num_classes] = confusion_matrix(truth, prediction, num_classes)
                if self.boundary:
                    counts[num_classes:-1] = boundary_areas(truth, prediction, num_classes)
            self._sum = self._sum + self._last
            self._last = counts
            self._seen += 1

    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the results over all processes.

        Args:
            size: Number of images in the data set.
        """
        num_classes = len(self.dataset_meta['classes'])
        total = self._sum_of_own(size, (num_classes + EXTRA_ROWS, num_classes))
        if is_distributed():
            total = _sum_over_processes(total)
        self._reset()
        if not total[-1, 0]:
            print_log('the photos have no annotations: nothing to measure', 'current')
            return {}
        self.report = self._make_report(total)
        metrics = self.compute_metrics([self.report])
        return {f'{self.prefix}/{k}' if self.prefix else k: v for k, v in metrics.items()}

    def _sum_of_own(self, size: int, shape: tuple[int, int]) -> np.ndarray:
        """Sum the counts of this process, without an image that another process has as well.

        The k-th image of rank r of w processes is number ``k * w + r`` of the sampler's list.
        """
        rank, world_size = get_dist_info()
        last_is_repeated = (self._seen - 1) * world_size + rank >= size
        return np.zeros(shape, np.int64) + self._sum + (0 if last_is_repeated else self._last)

    def _make_report(self, total: np.ndarray) -> dict:
        """Turn counts into per-class values (fractions of 1, NaN where there is none)."""
        confusion, (shared, of_truth, of_prediction) = total[:-EXTRA_ROWS], total[-EXTRA_ROWS:-1]
        intersect, truth, prediction = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
        areas = (intersect, truth + prediction - intersect, prediction, truth)
        values = IoUMetric.total_area_to_metrics(
            *(torch.from_numpy(area.astype(np.float32)) for area in areas),
            ['mIoU', 'mDice', 'mFscore'],
        )
        # mmseg's Fscore of a class that was never found is NaN, which drops it from the mean; its
        # Dice is the same number, and 0 there.
        values['F1'] = values.pop('Dice')
        del values['Fscore']
        if self.boundary:
            with np.errstate(invalid='ignore'):
                values['BoundaryIoU'] = shared / (of_truth + of_prediction - shared)
        return dict(
            classes=list(self.dataset_meta['classes']),
            confusion_matrix=confusion.tolist(),
            aAcc=float(values.pop('aAcc')),
            per_class={name: value.tolist() for name, value in values.items()},
            values=values,
        )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Print the per-class table and return the means in percent."""
        report = results[0]
        values = report.pop('values')
        self._print(values, report['classes'])
        metrics = {'aAcc': np.float32(report['aAcc'])}
        with warnings.catch_warnings():
            # Everything ignored: the mean of no class is NaN, which is what mmseg says too.
            warnings.simplefilter('ignore', RuntimeWarning)
            metrics |= {f'm{name}': np.nanmean(value) for name, value in values.items()}
        iou = values['IoU']
        metrics['mIoU_all'] = np.nansum(iou, dtype=np.float64) / iou.size
        return {name: round(float(np.round(v * 100, 2)), 2) for name, v in metrics.items()}

    @staticmethod
    def _print(values: dict[str, np.ndarray], classes: Sequence[str]) -> None:
        table = PrettyTable()
        table.add_column('Class', list(classes), align='l')
        for name, value in values.items():
            if name != 'Acc':  # per class it is the recall
                cells = ['-' if np.isnan(v) else f'{100 * v:.2f}' for v in value]
                table.add_column(name, cells, align='r')
        print_log(f'per class results (%):\n{table.get_string()}', 'current')
        absent = [name for name, v in zip(classes, values['IoU'], strict=True) if np.isnan(v)]
        if absent:
            print_log(
                f'absent from truth and predictions: {", ".join(absent)}. mIoU is the mean over '
                f'the other {len(classes) - len(absent)} classes, mIoU_all counts them as 0',
                'current',
                level=logging.WARNING,
            )


def _labels(pixel_data: dict) -> np.ndarray:
    """Return ``(H, W)`` uint8 labels of a ``(1, H, W)`` tensor, converted where it lies."""
    return pixel_data['data'].squeeze(0).to(torch.uint8).cpu().numpy()


def _sum_over_processes(counts: np.ndarray) -> np.ndarray:
    device = 'cuda' if torch_dist.get_backend() == 'nccl' else 'cpu'
    tensor = torch.from_numpy(counts).to(device)
    torch_dist.all_reduce(tensor)
    return tensor.cpu().numpy()
