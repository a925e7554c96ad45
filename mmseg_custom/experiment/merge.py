"""Merge changes into an experiment so that they mean what they say."""

import os
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_custom.checkpoints.work_folder import is_record
from mmseg_custom.classes import built_in_names
from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.plain_data import flatten

from .datasets import LOADERS, leaf_datasets, set_data_root
from .keys import ConfigFile, base_chain, require_read
from .schedule import set_length

LENGTHS = ('train_cfg.max_iters', 'train_cfg.max_epochs')
INTERVALS = ('train_cfg.val_interval', 'train_cfg.val_begin')
FOLLOWING = (('val_dataloader', 'test_dataloader'), ('val_evaluator', 'test_evaluator'))


def merge(cfg: Config, content: Mapping[str, Any], origin: str) -> None:
    """Change an experiment.

    Beside MMEngine's keys, the shorthands ``data_root``, ``batch_size``, ``classes`` and
    ``max_iters`` stand for the options of these names. The test set follows a change of the
    validation set, unless it is changed as well. A new length of the training scales what is
    counted in iterations, but for what is given together with it
    (:func:`~mmseg_custom.experiment.schedule.set_max_iters`).

    Args:
        cfg: Changed in place.
        content: Values by dotted keys, or nested.
        origin: What asks for it, for messages.

    Raises:
        UserError: A key that has no effect, or a value that does not fit.
    """
    content = dict(content)
    require_read(cfg, {key.split('.')[0] for key in content}, origin)
    for name, apply in APPLY.items():
        if name in content:
            apply(cfg, content.pop(name))
    if 'max_iters' in content:
        content[LENGTHS[0]] = content.pop('max_iters')
    _follow(content)
    given = dict(flatten(content))
    length = {key: given[key] for key in LENGTHS if key in given}
    before = {key: _get(cfg, key) for key in length}
    try:
        cfg.merge_from_dict(content)
    except Exception as error:
        raise UserError(
            f'{origin}: {", ".join(content)}: does not go with the experiment: {error}'
        ) from error
    for key, value in length.items():
        if before[key] is not None:
            _rescale(cfg, key, before[key], value, given, origin)


def merge_file_rules(cfg: Config, path: str) -> None:
    """Apply the rules of :func:`merge` to what a config file assigns over its bases.

    A config that a training wrote down is taken as it is, and so are files of another kind than
    Python with ``_base_``.

    Args:
        cfg: What MMEngine read from the file.
        path: The file.

    Raises:
        UserError: A key that has no effect.
    """
    if not path.endswith('.py') or is_record(Path(path)):
        return
    if any('read_base' in file.read_text(encoding='utf-8') for file in base_chain(path)):
        return
    file = ConfigFile(path)
    file.require_effect()
    stating = file.last_file('classes')
    if stating >= 0:
        cfg.classes = beside(file.files[stating], cfg.classes)
    for name in file.shorthands():
        if name == 'data_root':
            _set_inherited_root(cfg, file)
        elif name == 'max_iters' and file.last_file('train_cfg') < file.last_file(name):
            _rescale(cfg, LENGTHS[0], cfg.train_cfg.max_iters, cfg.max_iters, {}, path)
        elif name in APPLY:
            APPLY[name](cfg, cfg[name])
    _scale_inherited_schedule(cfg, file, path)
    for first, second in FOLLOWING:
        if file.last_file(first) > file.last_file(second):
            cfg[second] = deepcopy(cfg[first])


def _scale_inherited_schedule(cfg: Config, file: ConfigFile, path: str) -> None:
    """Let a schedule follow a length that a later file gives; what that file gives too is kept."""
    place = file.last_file('param_scheduler')
    if not 0 <= place < file.last_file('train_cfg'):
        return
    base = Config.fromfile(str(file.files[place]), import_custom_modules=False)
    for key in LENGTHS:
        before, length = _get(base, key), _get(cfg, key)
        if before is None or length is None or before == length:
            continue
        keep = [key for key in INTERVALS if _get(cfg, key) != _get(base, key)]
        if file.last_file('default_hooks') >= file.last_file('train_cfg'):
            keep.append('default_hooks.checkpoint.interval')
        _rescale(cfg, key, before, length, keep, path)
        if os.environ.get('RANK', '0') == '0':
            print(
                f'{path}: {key} is {length}: the learning rate schedule of '
                f'{file.files[place].name} for {before} is scaled with it',
                flush=True,
            )


def beside(file: Path, classes: Any) -> Any:
    """Return what a file says of the classes, with the path of a class file made absolute.

    Args:
        file: States ``classes``; the path of a class file is relative to its folder.
        classes: The value.
    """
    if not isinstance(classes, str) or classes in built_in_names():
        return classes
    return os.path.abspath(file.parent / classes)


def _rescale(
    cfg: Config, key: str, before: int, length: Any, given: Iterable[str], origin: str
) -> None:
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise UserError(f'{origin}: {key}: {length!r} is not a whole number of at least 1')
    name = key.partition('.')[2]
    cfg.train_cfg[name] = before
    set_length(cfg, name, length, list(given))


def _set_inherited_root(cfg: Config, file: ConfigFile) -> None:
    """Let the data sets whose folder is a base's ``data_root`` follow the new one."""
    bases = [Config.fromfile(str(base), import_custom_modules=False) for base in file.files[:-1]]
    inherited = {base['data_root'] for base in bases if 'data_root' in base} - {cfg.data_root}
    for loader in LOADERS:
        for dataset in leaf_datasets(cfg[loader].dataset) if cfg.get(loader) else ():
            if not inherited or dataset.get('data_root') in inherited:
                dataset['data_root'] = cfg.data_root


def _set_batch_size(cfg: Config, size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise UserError(f'batch_size: {size!r} is not a whole number of at least 1')
    cfg.train_dataloader.batch_size = size


def _set_classes(cfg: Config, classes: Any) -> None:
    # Read by set_classes, when all changes are made.
    cfg.classes = classes


def _follow(content: dict[str, Any]) -> None:
    for first, second in FOLLOWING:
        if not any(key.split('.')[0] == second for key in content):
            for key in [key for key in content if key.split('.')[0] == first]:
                content[second + key.removeprefix(first)] = deepcopy(content[key])


def _get(cfg: Config, key: str) -> Any:
    section, _, name = key.partition('.')
    return (cfg.get(section) or {}).get(name)


APPLY: dict[str, Callable[[Config, Any], None]] = dict(
    data_root=set_data_root, batch_size=_set_batch_size, classes=_set_classes
)
