"""Scores of a cross-validation: each photo by the model that was not trained on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmseg_custom.evaluation.iou_report import class_values, means
from mmseg_custom.utils import UserError

from .trials import Trial


def out_of_fold(trials: Sequence[Trial]) -> dict[str, Any]:
    """Sum the confusion matrices of the last validations of all folds.

    Args:
        trials: One a fold, all finished.

    Returns:
        dict: ``models`` (``checkpoint`` and ``mIoU`` of each fold), ``mIoU`` and, by class,
        ``IoU`` of all photos together (in percent; None: the class does not occur), and the
        ``confusion_matrix``.

    Raises:
        UserError: A training is not finished, or its last checkpoint is gone.
    """
    models, total = [], None
    for trial in trials:
        result = trial.result()
        if result is None:
            raise UserError(f'{trial.folder}: its training is not finished')
        checkpoint = trial.folder / f'iter_{result["iter"]}.pth'
        if not checkpoint.is_file():
            raise UserError(f'{checkpoint}: the last checkpoint of the training is missing')
        models.append(dict(checkpoint=str(checkpoint), mIoU=result['metrics']['mIoU']))
        confusion = np.array(result['confusion_matrix'], np.int64)
        total = confusion if total is None else total + confusion
        classes = result['classes']
    if total is None:
        raise UserError('no folds: nothing can be measured out of fold')
    values = class_values(total)
    ious = [None if np.isnan(value) else round(100 * float(value), 2) for value in values['IoU']]
    return dict(
        models=models,
        mIoU=round(100 * float(means(values)['mIoU']), 2),
        IoU=dict(zip(classes, ious, strict=True)),
        confusion_matrix=total.tolist(),
    )
