"""Reading an experiment's config and changing it the way the command lines offer."""

import argparse
import os
from collections.abc import Sequence

from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope

from mmseg_custom.utils.errors import UserError

from .datasets import set_ann_file, set_data_root
from .merge import merge, merge_file_rules
from .plain_override import apply_override, read_override


def load_config(
    path: str,
    options: Sequence[str] = (),
    work_dir: str | None = None,
    override: str | None = None,
) -> Config:
    """Read a config file.

    Args:
        path: The file.
        options: See :func:`change`, also for ``override``.
        work_dir: Where the run writes; else what the config says, or ``work_dirs/<its name>``.

    Raises:
        UserError: The file, or one it inherits, is no valid config, or the changes do not fit.
    """
    try:
        cfg = Config.fromfile(path)
    except Exception as error:
        # A config is Python code: whatever it raises, the config is what has to be fixed.
        raise UserError(
            f'{path}: cannot be read as a config ({type(error).__name__}: {error})'
        ) from error
    merge_file_rules(cfg, path)
    change(cfg, options, override)
    # Bare type names are looked up in this scope, also by what is built before the runner.
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    stem = os.path.splitext(os.path.basename(path))[0]
    cfg.work_dir = work_dir or cfg.get('work_dir') or os.path.join('work_dirs', stem)
    return cfg


def change(cfg: Config, options: Sequence[str] = (), override: str | None = None) -> None:
    """Change an experiment as the command line says.

    Args:
        cfg: Changed in place.
        options: ``KEY=VALUE`` texts with dotted keys (``--cfg-options``), which have the last word.
        override: A YAML or JSON file (``--override``), see :func:`read_override`.

    Raises:
        UserError: They do not fit.
    """
    if override:
        apply_override(cfg, read_override(override), override)
    merge(cfg, parse_options(options), '--cfg-options')


def parse_options(texts: Sequence[str]) -> dict:
    """Parse ``KEY=VALUE`` texts as MMEngine does (numbers, lists, tuples, strings)."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='*', action=DictAction)
    return parser.parse_args(['--options', *texts]).options


def set_options(
    cfg: Config,
    data_root: str | None = None,
    train_json: str | None = None,
    val_json: str | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    amp: bool | None = None,
) -> None:
    """Apply the short cuts of the command line; None leaves what the config says.

    Args:
        cfg: Changed in place.
        data_root: Folder of all data sets.
        train_json: See :func:`set_ann_file`.
        val_json: See :func:`set_ann_file`.
        batch_size: Photos per process and training iteration.
        seed: Seed of everything random.
        amp: Half precision on or off.
    """
    if data_root:
        set_data_root(cfg, data_root)
    if train_json:
        set_ann_file(cfg, 'train_dataloader', train_json)
    if val_json:
        for loader in ('val_dataloader', 'test_dataloader'):
            set_ann_file(cfg, loader, val_json)
    if batch_size:
        cfg.train_dataloader.batch_size = batch_size
    if seed is not None:
        cfg.randomness.seed = seed
    if amp is not None:
        set_amp(cfg.optim_wrapper, amp)


def set_amp(optim_wrapper: dict, amp: bool) -> None:
    """Turn half precision on or off, in place, with the options that only it has."""
    optim_wrapper['type'] = 'AmpOptimWrapper' if amp else 'OptimWrapper'
    if not amp:
        for key in ('dtype', 'loss_scale', 'use_fsdp'):
            optim_wrapper.pop(key, None)


def scale_lr(cfg: Config, factor: float) -> None:
    """Multiply the learning rate of the optimizer, in place.

    Raises:
        UserError: The experiment has no single learning rate.
    """
    optimizer = cfg.get('optim_wrapper', {}).get('optimizer', {})
    if 'lr' not in optimizer:
        raise UserError(f'{cfg.filename}: has no optim_wrapper.optimizer.lr to multiply')
    optimizer.lr *= factor


def drop_pretrained(model: dict) -> None:
    """Let a model config start from random weights wherever it would load some."""
    for key, value in list(model.items()):
        from_weights = isinstance(value, dict) and value.get('type') == 'Pretrained'
        if key == 'pretrained' or (key == 'init_cfg' and from_weights):
            model[key] = None
        elif isinstance(value, dict):
            drop_pretrained(value)
