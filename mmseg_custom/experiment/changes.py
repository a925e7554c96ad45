"""How an experiment differs from the one that a checkpoint was trained with."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_custom.coco.ann_files import existing_files, joined_path
from mmseg_custom.utils.plain_data import flatten
from mmseg_custom.utils.remote import fetched

from .datasets import leaf_datasets

# What a training is made of. All else is about one run of it, or read by nothing.
TRAINING = (
    'model',
    'data_preprocessor',
    'train_dataloader',
    'val_dataloader',
    'val_evaluator',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'custom_hooks',
    'randomness',
    'runner_type',
    'strategy',
)
# All weights come from the checkpoint.
INITIAL_WEIGHTS = r'model\.(.*\.)?(init_cfg|pretrained)(\..*)?'
HARMLESS = (
    r'.*\.(num_workers|persistent_workers|prefetch_factor|pin_memory)',
    r'train_cfg\.(val_interval|val_begin)',
    INITIAL_WEIGHTS,
    r'.*dataset\.(.*\.)?(data_root|ann_file)',  # the annotations are compared by their content
)
LENGTH = r'train_cfg\.max_(iters|epochs)'
BOUNDARIES = r'param_scheduler\.[^.]+\.(begin|end|T_max|T_up|T_0)'
SCHEDULE = r'param_scheduler\b.*|optim_wrapper\.(optimizer|paramwise_cfg|constructor)\b.*|' + LENGTH
OPTIMIZER = 'optim_wrapper.optimizer.type'
RUN_HOOKS = (
    'RunRecordHook',
    'ProgressBarHook',
    'ResumableEarlyStoppingHook',
    'TrackValidationHook',
)
ABSENT = '-'


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        key: Dotted key of the config, or what differs beside it.
        before: The value in the checkpoint.
        now: The value in the experiment that shall run.
    """

    key: str
    before: Any
    now: Any

    @property
    def is_length(self) -> bool:
        """Whether only the length of the training differs."""
        return bool(re.fullmatch(LENGTH, self.key))

    @property
    def is_schedule(self) -> bool:
        """Whether the learning rates of the iterations to come differ."""
        return bool(re.fullmatch(SCHEDULE, self.key))


def training_changes(before: Mapping, now: Mapping) -> list[Change]:
    """Return in what a training differs, without what does not matter to it.

    Args:
        before: The checkpoint's experiment.
        now: The one that shall run.
    """
    first, second = _training(before), _training(now)
    if _length(first) != _length(second):
        # Nothing may be left of a warm-up.
        both = first['param_scheduler'].keys() & second['param_scheduler'].keys()
        for one in (first, second):
            one['param_scheduler'] = {name: one['param_scheduler'][name] for name in both}
    old, new = dict(flatten(first)), dict(flatten(second))
    rows = [
        Change(key, old.get(key, ABSENT), new.get(key, ABSENT))
        for key in dict.fromkeys((*old, *new))
        if not _same(old.get(key, ABSENT), new.get(key, ABSENT))
        and not any(re.fullmatch(pattern, key) for pattern in HARMLESS)
    ]
    if not any(row.is_length for row in rows):
        return rows
    # The boundaries of the schedule follow the length.
    return [row for row in rows if not re.fullmatch(BOUNDARIES, row.key)]


def table_of(changes: list[Change]) -> str:
    """Return the differences as lines: key, the checkpoint's value, the value now."""
    rows = [
        ('', 'checkpoint', 'now'),
        *((row.key, _text(row.before), _text(row.now)) for row in changes),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return '\n'.join(f'  {a:<{widths[0]}}  {b:<{widths[1]}}  {c}'.rstrip() for a, b, c in rows)


def annotation_digests(cfg: Config) -> dict[str, list[str]]:
    """Return the SHA-256 of the annotation files of the training and validation sets.

    Args:
        cfg: The experiment. A file that is missing is left out: the dataset will name it.
    """
    found = {}
    for name in ('train_dataloader', 'val_dataloader'):
        loader = cfg.get(name)
        leaves = leaf_datasets(loader.dataset) if loader else ()
        found[name] = [
            _digest(file)
            for leaf in leaves
            if leaf.get('ann_file')
            for file in existing_files(joined_path(leaf['ann_file'], leaf.get('data_root') or ''))
        ]
    return found


def annotation_changes(before: Mapping | None, now: Mapping) -> list[Change]:
    """Return the sets whose annotations differ in content.

    Args:
        before: What :func:`annotation_digests` returned for the checkpoint, None if unknown.
        now: The same for the experiment that shall run.
    """
    return [
        Change(f'{name}: annotations', 'another content', 'changed')
        for name in now
        if before is not None and list(before.get(name, [])) != list(now[name])
    ]


def _digest(path: Path) -> str:
    with open(fetched(path), 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def _training(experiment: Mapping) -> dict:
    parts = {name: experiment[name] for name in TRAINING if experiment.get(name) is not None}
    hooks = parts.get('custom_hooks') or []
    parts['custom_hooks'] = _by_type(hook for hook in hooks if hook.get('type') not in RUN_HOOKS)
    schedulers = parts.get('param_scheduler') or []
    parts['param_scheduler'] = _by_type(
        schedulers if isinstance(schedulers, list) else [schedulers]
    )
    return parts


def _by_type(configs: Iterable[Mapping]) -> dict[str, Mapping]:
    found: dict[str, Mapping] = {}
    for config in configs:
        name = str(config.get('type'))
        number = sum(one.partition('#')[0] == name for one in found)
        found[f'{name}#{number + 1}' if number else name] = config
    return found


def _length(parts: Mapping) -> tuple:
    loop = parts.get('train_cfg') or {}
    return loop.get('max_iters'), loop.get('max_epochs')


def _same(before: Any, now: Any) -> bool:
    # A list stands for a tuple wherever a config came through YAML.
    return _plain(before) == _plain(now)


def _plain(value: Any) -> Any:
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value


def _text(value: Any) -> str:
    return value if value == ABSENT else repr(value)
