"""Build the experiment that a command line asks for: the one door from options to a config."""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mmengine.config import Config, ConfigDict

from mmseg_custom.checkpoints.checkpoint import classes_of
from mmseg_custom.checkpoints.meta import checkpoint_meta
from mmseg_custom.utils.model_folder import weights_path
from mmseg_custom.utils.plain_data import flatten

from . import config as changes
from .arguments import require_arguments
from .config import parse_options
from .datasets import set_ann_file, set_data_root
from .launch import fit_to_machine, is_first_process, world_size
from .merge import LENGTHS
from .named_parts import add_options, set_augmentation, set_loss
from .plain_override import read_override
from .schedule import set_epochs
from .set_classes import set_classes
from .stored import differences, stored_experiment
from .total_batch import TotalBatch, base_batch
from .tta import read_crf, set_tta

AUTO = 'auto'
Step = tuple[str, Callable[[Config], Any]]


def build_experiment(args: argparse.Namespace) -> Config:
    """Return the experiment of a command line, ready to run on this machine.

    Later steps override earlier ones:

    1. the config file, over its bases, or the experiment that the checkpoint carries;
    2. ``--option NAME …``, in the given order;
    3. ``--override FILE``;
    4. the other named options (``--data-root``, ``--batch-size``, ``--loss``, …);
    5. ``--cfg-options KEY=VALUE …``, word for word.

    What depends on the result follows: the classes (see
    :func:`~mmseg_custom.experiment.set_classes.set_classes`), the batch that fits
    (``--batch-size auto``), the length of the training (``--epochs``), the total batch
    (``--auto-scale-lr``), TTA, and the machine.

    Args:
        args: The parsed command line. A command has the options that make sense for it; a missing
            one changes nothing.

    Raises:
        UserError: The config cannot be read, or an option does not fit it.
    """
    cfg = read_experiment(args)
    for _, change in experiment_steps(args):
        change(cfg)
    return cfg


def read_experiment(args: argparse.Namespace) -> Config:
    """Return the experiment of the config file, or where none is given the checkpoint's own."""
    work_dir = getattr(args, 'work_dir', None)
    if args.config:
        return changes.load_config(args.config, work_dir=work_dir)
    cfg = stored_experiment(args.checkpoint)
    cfg.work_dir = work_dir or cfg.work_dir
    return cfg


def experiment_steps(args: argparse.Namespace) -> Iterator[Step]:
    """Yield the changes of :func:`build_experiment` in their order, each with what asks for it.

    Args:
        args: See :func:`build_experiment`.
    """

    def given(name: str) -> Any:
        return getattr(args, name, None)

    batch = TotalBatch(world_size())
    yield 'accumulative_counts', batch.note
    if given('option'):
        yield '--option', lambda cfg: add_options(cfg, args.option)
    if given('override'):
        yield '--override', lambda cfg: changes.change(cfg, override=args.override)
    for name, change in NAMED.items():
        value = given(name)
        if value is not None and value is not False:
            yield option_name(name), partial(_apply, change, value)
    if given('amp') is not None:
        on = bool(args.amp)
        name = '--amp' if on else '--no-amp'
        yield name, lambda cfg: changes.set_amp(cfg.optim_wrapper, on)
    if given('checkpoint'):
        # All weights come from the checkpoint.
        yield 'CHECKPOINT', lambda cfg: changes.drop_pretrained(cfg.model)
    if given('cfg_options'):
        yield '--cfg-options', lambda cfg: changes.change(cfg, args.cfg_options)
    said = given('classes'), given('class_map'), given('checkpoint')
    yield 'load_from', _find_start
    yield 'classes', lambda cfg: _set_classes(cfg, *said)
    if given('batch_size') == AUTO:
        yield '--batch-size auto', lambda cfg: _set_fitting_batch(cfg, args)
    if given('epochs'):
        yield '--epochs', lambda cfg: _set_epochs(cfg, args)
    if hasattr(args, 'auto_scale_lr'):
        yield '--auto-scale-lr', lambda cfg: _scale(cfg, batch, args)
    if given('checkpoint'):
        yield 'CHECKPOINT', lambda cfg: _report(differences(cfg, args.checkpoint))
    if given('tta') or given('crf'):
        crf = read_crf(args.crf) if given('crf') else None
        yield '--tta/--crf', lambda cfg: set_tta(cfg, given('tta') or 'none', crf)
    yield 'arguments', require_arguments
    yield 'this machine', lambda cfg: _fit(cfg, args)


def _fit(cfg: Config, args: argparse.Namespace) -> None:
    launcher, amp = getattr(args, 'launcher', None), getattr(args, 'amp', None)
    for line in fit_to_machine(cfg, launcher or 'none', amp, _given_keys(args)):
        _report(line)


def _apply(change: Callable[[Config, Any], Any], value: Any, cfg: Config) -> None:
    change(cfg, value)


def _report(text: str | None) -> None:
    if text and is_first_process():
        print(text, flush=True)


def option_name(name: str) -> str:
    """Return ``--batch-size`` for ``batch_size``."""
    return '--' + name.replace('_', '-')


def _set_classes(
    cfg: Config, given: str | None, class_map: str | None, checkpoint: str | None
) -> None:
    model = classes_of(dict(meta=checkpoint_meta(checkpoint)), checkpoint) if checkpoint else None
    set_classes(cfg, given, model, checkpoint or 'model', class_map)


def _find_start(cfg: Config) -> None:
    """Let a training start from the weights in a model folder."""
    if cfg.get('load_from'):
        cfg.load_from = weights_path(cfg.load_from)


def set_max_hours(cfg: Config, hours: float) -> None:
    """Stop a training after so many hours, also that of a plain MMSegmentation config."""
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    hooks.setdefault('stop_signal', ConfigDict(type='StopSignalHook')).max_hours = hours


def _set_randomness(cfg: Config, **options: Any) -> None:
    cfg.randomness = dict(cfg.get('randomness') or {}, **options)


def _set_epochs(cfg: Config, args: argparse.Namespace) -> None:
    given = parse_options(args.cfg_options or ())
    length = [key for key in given if key == 'max_iters' or key in LENGTHS]
    if length:
        _report(f'--epochs {args.epochs} has no effect: --cfg-options {length[0]} comes after it')
    else:
        set_epochs(cfg, args.epochs, world_size(), list(given))


def _set_fitting_batch(cfg: Config, args: argparse.Namespace) -> None:
    from .fitting_batch import set_fitting_batch

    set_fitting_batch(cfg, base_batch(cfg), world_size(), getattr(args, 'launcher', None) or 'none')


def _scale(cfg: Config, batch: TotalBatch, args: argparse.Namespace) -> None:
    wanted = True if args.batch_size == AUTO else args.auto_scale_lr
    batch.apply(cfg, wanted, _given_keys(args), bool(args.epochs))


def _given_keys(args: argparse.Namespace) -> set[str]:
    """Return the dotted keys that a command line gives values for."""
    path, options = getattr(args, 'override', None), getattr(args, 'cfg_options', None)
    override = read_override(path) if path else {}
    return {key for key, _ in flatten(override)} | {*parse_options(options or ())}


def _set_val_json(cfg: Config, path: str) -> None:
    for loader in ('val_dataloader', 'test_dataloader'):
        set_ann_file(cfg, loader, path)


NAMED: dict[str, Callable[[Config, Any], Any]] = dict(
    data_root=set_data_root,
    train_json=lambda cfg, path: set_ann_file(cfg, 'train_dataloader', path),
    val_json=_set_val_json,
    test_json=lambda cfg, path: set_ann_file(cfg, 'test_dataloader', path),
    batch_size=lambda cfg, size: size == AUTO or cfg.train_dataloader.update(batch_size=size),
    lr_factor=changes.scale_lr,
    seed=lambda cfg, seed: _set_randomness(cfg, seed=seed),
    deterministic=lambda cfg, on: _set_randomness(cfg, deterministic=on),
    max_hours=set_max_hours,
    loss=set_loss,
    augmentation=set_augmentation,
    no_pretrained=lambda cfg, _: changes.drop_pretrained(cfg.model),
)
"""The named options that set one thing, by the name of their argument, in the order they apply."""
