"""Putting together what a report says of a training."""

from collections.abc import Sequence

import numpy as np

from mmseg_custom.classes import choose_classes
from mmseg_custom.evaluation.calibration import reliability
from mmseg_custom.evaluation.confusion import class_scores
from mmseg_custom.experiment.set_classes import experiment_classes
from mmseg_custom.visualization.pages.html import css_colors

from .run_folder import RunFolder
from .validation_photos import PhotoResults

SCORES = ('mIoU', 'mF1', 'mBoundaryIoU', 'aAcc')


def make_report(
    run: RunFolder, results: PhotoResults | None = None, checkpoint: str | None = None
) -> dict:
    """Return the numbers of a report; None, or an empty part, where there is nothing to say.

    Args:
        run: What was read back.
        results: What came out of the validation photos, None if none were looked at.
        checkpoint: What the model was that looked at them.

    Returns:
        dict: ``name``, ``config`` (file name and text), ``checkpoint``, ``iterations``, ``train``
        and ``val`` curves, ``validation`` (iteration and percent by name), ``same_weights``
        (whether the checkpoint is of that iteration), ``photos`` (see
        :func:`photo_numbers`), ``classes`` (name, IoU, precision and recall in 0..1), ``colors``
        (CSS, by class), ``confusion`` and ``speed``.
    """
    measured = dict(run.validation or {})
    if results:
        measured |= dict(classes=results.classes.names, confusion_matrix=results.tally.confusion)
    confusion = np.asarray(measured.get('confusion_matrix', ()), np.int64)
    names = list(measured.get('classes', ()))
    classes = choose_classes(
        model=results.classes if results else None, experiment=experiment_classes(run.config)
    )
    return dict(
        name=run.folder.resolve().name,
        config=dict(name=run.config_name, text=run.config.pretty_text),
        checkpoint=checkpoint,
        iterations=run.iterations,
        train=run.train,
        val=run.val,
        validation=_last_validation(run.validation),
        # One number for one thing: the photos' own scores take the place of the validation's.
        same_weights=bool(
            checkpoint and run.validation and f'iter_{run.validation["iter"]}.' in checkpoint
        ),
        photos=results and photo_numbers(results),
        classes=class_rows(names, confusion) if names else [],
        colors=css_colors(classes),
        confusion=confusion.tolist(),
        speed=speed_numbers(run, results),
    )


def _last_validation(validation: dict | None) -> dict | None:
    if validation is None:
        return None
    metrics = validation['metrics'] or {}
    scores = {name: metrics[name] for name in SCORES if metrics.get(name) is not None}
    return dict(iteration=validation['iter'], scores=scores)


def class_rows(names: Sequence[str], confusion: np.ndarray) -> list[dict]:
    """Return name, fraction of the true pixels and scores of each class, all in 0..1.

    Args:
        names: ``C`` names.
        confusion: ``(C, C)`` pixels, rows truth, columns prediction.
    """
    scores = class_scores(confusion)
    shares = confusion.sum(axis=1) / max(confusion.sum(), 1)
    return [
        dict(
            name=name,
            share=float(shares[label]),
            **{key: _number(values[label]) for key, values in scores.items()},
        )
        for label, name in enumerate(names)
    ]


def photo_numbers(results: PhotoResults) -> dict:
    """Return what the photos came to.

    Returns:
        dict: ``mIoU`` and ``aAcc`` of all pixels and ``ece`` in 0..1, and ``bins``: ``start``,
        ``end``, ``share`` of the pixels, ``accuracy`` and ``confidence``, each in 0..1.
    """
    confusion = results.tally.confusion
    found = reliability(results.tally.confidence)
    edges = np.linspace(0, 1, len(found['share']) + 1)
    bins = [
        dict(
            start=float(edges[place]),
            end=float(edges[place + 1]),
            **{key: _number(found[key][place]) for key in ('share', 'accuracy', 'confidence')},
        )
        for place in range(len(found['share']))
    ]
    ious = class_scores(confusion)['IoU']
    return dict(
        mIoU=_number(np.nanmean(ious)) if not np.isnan(ious).all() else None,
        aAcc=_number(confusion.trace() / confusion.sum()) if confusion.any() else None,
        ece=_number(found['ece']),
        bins=bins,
    )


def speed_numbers(run: RunFolder, results: PhotoResults | None) -> dict:
    """Return seconds and photos a second, None where they are not known.

    Returns:
        dict: ``iteration`` and ``data`` (median seconds of a training iteration, and of waiting for
        its photos), ``train_rate`` (photos a second and process), ``photo`` (seconds of a photo
        without training, measured here or else as the last validation logged them), ``rate``
        (1 / that) and ``source`` of the two.
    """
    iteration, photo = run.median('time'), _logged_seconds(run)
    source = 'logged by the last validation, with loading'
    if results:
        photo, source = results.seconds, f'measured on {results.device}, one at a time, median'
    batch_size = run.config.get('train_dataloader', {}).get('batch_size')
    return dict(
        iteration=iteration,
        data=run.median('data_time'),
        train_rate=batch_size / iteration if batch_size and iteration else None,
        photo=photo,
        rate=1 / photo if photo else None,
        source=source if photo else None,
    )


def _logged_seconds(run: RunFolder) -> float | None:
    batch_size = run.config.get('val_dataloader', {}).get('batch_size')
    times = list(run.val.get('time', {}).values())
    return times[-1] / batch_size if times and batch_size else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
