"""The length of a training, and what depends on it."""

import math
from collections.abc import Collection

from mmengine.config import Config

from mmseg_custom.utils.errors import UserError

LEAST_VALIDATIONS = 5
BOUNDARIES = ('begin', 'end', 'T_max', 'T_up', 'T_up_encoder')


def set_max_iters(cfg: Config, max_iters: int, keep: Collection[str] = ()) -> None:
    """Train for ``max_iters`` iterations, and scale with it what a config gives in iterations.

    That is the learning rate schedule, the validation interval (so that there are at least five
    validations) and the checkpoint interval (which only gets shorter).

    Args:
        cfg: Changed in place; its training is counted in iterations.
        max_iters: At least 1.
        keep: Dotted keys that were given together with the length, which stay as they are.

    Raises:
        UserError: The config counts in epochs.
    """
    if 'max_iters' not in cfg.train_cfg:
        raise UserError(f'{cfg.filename}: counts its training in epochs (train_cfg.max_epochs)')
    set_length(cfg, 'max_iters', max_iters, keep)


def set_epochs(cfg: Config, epochs: int, processes: int, keep: Collection[str] = ()) -> None:
    """Train so many times over the training set; see :func:`set_max_iters`.

    Args:
        cfg: Changed in place.
        epochs: At least 1.
        processes: Between which each epoch is divided.
        keep: See :func:`set_max_iters`.
    """
    if 'max_epochs' in cfg.train_cfg:
        set_length(cfg, 'max_epochs', epochs, keep)
    else:
        set_max_iters(cfg, epochs * iterations_per_epoch(cfg, processes), keep)


def iterations_per_epoch(cfg: Config, processes: int) -> int:
    """Return how many iterations show every training photo once."""
    from mmseg.registry import DATASETS

    photos = len(DATASETS.build(cfg.train_dataloader.dataset))
    return math.ceil(photos / (cfg.train_dataloader.batch_size * processes))


def set_length(cfg: Config, key: str, length: int, keep: Collection[str] = ()) -> None:
    """Set ``train_cfg.max_iters`` or ``max_epochs``; see :func:`set_max_iters`."""
    loop = cfg.train_cfg
    ratio, loop[key] = length / loop[key], length
    if not any(name.startswith('param_scheduler') for name in keep):
        _stretch(cfg, length, ratio)
    if 'train_cfg.val_interval' not in keep and 'val_interval' in loop:
        # MMEngine validates at multiples of the interval, and at the end.
        loop.val_interval = _interval(loop.val_interval * ratio, length)
    if 'train_cfg.val_begin' not in keep and 'val_begin' in loop:
        loop.val_begin = max(1, round(loop.val_begin * ratio))
    checkpoint = cfg.get('default_hooks', {}).get('checkpoint') or {}
    if 'default_hooks.checkpoint.interval' not in keep and 'interval' in checkpoint:
        scaled = _interval(checkpoint['interval'] * ratio, length)
        checkpoint['interval'] = min(checkpoint['interval'], scaled)


def _interval(scaled: float, length: int) -> int:
    return max(1, min(round(scaled), length // LEAST_VALIDATIONS))


def _stretch(cfg: Config, length: int, ratio: float) -> None:
    for scheduler in schedulers_of(cfg):
        for key in BOUNDARIES:
            if scheduler.get(key) is not None:
                scheduler[key] = round(scheduler[key] * ratio)
        if 'T_0' in scheduler:
            scheduler.T_0 = max(round(scheduler.T_0 * ratio), scheduler.get('T_up', 0) + 1)
    # In a very short training nothing is left of a warm-up.
    if cfg.get('param_scheduler'):
        found = schedulers_of(cfg)
        cfg.param_scheduler = [s for s in found if s.get('end', length) > s.get('begin', 0)]


def schedulers_of(cfg: Config) -> list:
    """Return the configs of a training's parameter schedulers."""
    found = cfg.get('param_scheduler') or []
    return found if isinstance(found, list) else [found]
