"""The experiment that a checkpoint carries: plain data, from which nothing is run."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_custom import plugins  # noqa: F401  (registers what experiments name)
from mmseg_custom.checkpoints.meta import checkpoint_meta
from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.listing import listing
from mmseg_custom.utils.model_folder import experiment_beside
from mmseg_custom.utils.plain_data import flatten, from_json, to_json
from mmseg_custom.utils.remote import is_address

from .changes import HARMLESS
from .config import drop_pretrained
from .datasets import LOADERS, leaf_datasets
from .named_parts import BASES
from .plain_override import refuse_code

SCOPES = ('mmseg', 'mmengine')
# What using a trained model needs. Hooks, loggers and optimizers are ours, not the checkpoint's.
USED = (
    'model',
    'data_preprocessor',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'val_evaluator',
    'test_evaluator',
    'val_cfg',
    'test_cfg',
    'classes',
    'load',
    'pack',
)
COMPARED = ('model', 'test_dataloader', 'test_evaluator')
SHOWN = 3


def stored_experiment(checkpoint: str | os.PathLike) -> Config:
    """Return the experiment that a checkpoint was trained with.

    A checkpoint can come from anyone. Its experiment is JSON text: of it only what a trained model
    needs is taken, and only names of what is registered.

    Args:
        checkpoint: The file.

    Raises:
        UserError: It carries no experiment, or one that names something unregistered.
    """
    meta = checkpoint_meta(checkpoint)
    content = _read(checkpoint, meta)
    scope = content.get('default_scope', 'mmseg')
    if scope not in SCOPES:
        raise UserError(f'{checkpoint}: its experiment is of the unknown scope {scope!r}')
    used = {key: content[key] for key in USED if content.get(key) is not None}
    refuse_code(f'{checkpoint} (its experiment)', used)
    cfg = Config.fromfile(str(BASES / 'default_runtime.py'))
    cfg.merge_from_dict(used)
    cfg.default_scope = scope
    init_default_scope(scope)
    drop_pretrained(cfg.model)
    _find_data(cfg, meta.get('origin'))
    folder = os.path.dirname(os.fspath(checkpoint)) or '.'
    # What is written about a model folder does not belong into it.
    is_published = experiment_beside(checkpoint) is not None
    cfg.work_dir = f'work_dirs/{Path(folder).resolve().name}' if is_published else folder
    return cfg


def published_experiment(checkpoint: str | os.PathLike) -> dict[str, Any]:
    """Return the part of a checkpoint's experiment that a model folder publishes, as plain data.

    It has no folder of the machine that trained it: absolute paths of data become their last part.

    Args:
        checkpoint: The file.

    Raises:
        UserError: It carries no experiment.
    """
    content = _read(checkpoint, checkpoint_meta(checkpoint))
    kept = {key: content[key] for key in (*USED, 'default_scope') if content.get(key) is not None}
    cfg = Config(kept)
    drop_pretrained(cfg.model)
    for loader in LOADERS:
        for dataset in leaf_datasets(cfg[loader].dataset) if cfg.get(loader) else ():
            for key in ('data_root', 'ann_file'):
                if os.path.isabs(dataset.get(key) or ''):
                    dataset[key] = os.path.basename(os.path.normpath(dataset[key]))
    return json.loads(to_json(cfg.to_dict()))


def has_experiment(checkpoint: str | os.PathLike) -> bool:
    """Return whether a checkpoint carries its experiment."""
    return 'experiment' in checkpoint_meta(checkpoint)


def differences(cfg: Config, checkpoint: str | os.PathLike) -> str | None:
    """Say in one line how an experiment differs from the checkpoint's, as far as results depend.

    Args:
        cfg: The experiment that is going to be used.
        checkpoint: The file.

    Returns:
        str | None: None if nothing differs, or the checkpoint carries no experiment.
    """
    if not has_experiment(checkpoint):
        return None
    # Both without what does not matter; the data is compared by where it is.
    stored = _flat(stored_experiment(checkpoint))
    now = _flat(cfg)
    keys = [key for key in dict.fromkeys((*now, *stored)) if now.get(key) != stored.get(key)]
    if not keys:
        return None
    found = [f'{key} {now.get(key)!r} (trained: {stored.get(key)!r})' for key in keys]
    return f'{checkpoint}: used with other values than trained: {listing(found, SHOWN)}'


def _read(checkpoint: str | os.PathLike, meta: Mapping[str, Any]) -> dict:
    if 'experiment' not in meta:
        raise UserError(
            f'{checkpoint}: carries no experiment (it was not written by this version of '
            'tools/train.py), so that its config is needed as well: CONFIG CHECKPOINT'
        )
    try:
        content = from_json(meta['experiment'])
    except (TypeError, ValueError) as error:
        raise UserError(f'{checkpoint}: its experiment cannot be read ({error})') from None
    if not isinstance(content, dict) or not isinstance(content.get('model'), dict):
        raise UserError(f'{checkpoint}: its experiment has no model')
    return content


def _find_data(cfg: Config, origin: str | None) -> None:
    """Find relative folders of data where the training ran, unless they are here."""
    for loader in LOADERS:
        for dataset in leaf_datasets(cfg[loader].dataset) if cfg.get(loader) else ():
            root = dataset.get('data_root')
            if root and origin and not is_address(root) and not os.path.isdir(root):
                there = os.path.join(origin, root)
                dataset['data_root'] = there if os.path.isdir(there) else root


def _flat(cfg: Config) -> dict[str, Any]:
    content = {key: cfg[key] for key in COMPARED if cfg.get(key) is not None}
    patterns = [pattern for pattern in HARMLESS if 'data_root' not in pattern]
    found = {}
    for key, value in flatten(Config(content).to_dict()):
        if any(re.fullmatch(pattern, key) for pattern in patterns) or '.metainfo.' in key:
            continue
        if key.endswith('data_root') and isinstance(value, str):
            value = value if is_address(value) else os.path.abspath(value)
        found[key] = list(value) if isinstance(value, tuple) else value
    return found
