"""The one place where an experiment gets its classes: model, losses, data sets and metric."""

import os
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config, ConfigDict

from mmseg_custom.classes import (
    IGNORE,
    IGNORE_INDEX,
    ClassList,
    built_in,
    built_in_names,
    choose_classes,
    class_list,
)
from mmseg_custom.coco.class_map import with_class_map
from mmseg_custom.models.num_classes import set_num_classes
from mmseg_custom.utils.errors import UserError

from .datasets import LOADERS, leaf_datasets
from .launch import is_first_process

KEY = 'classes'


def set_classes(
    cfg: Config,
    given: Any = None,
    model: ClassList | None = None,
    source: str = 'model',
    class_map: str | os.PathLike | None = None,
) -> ClassList:
    """Let everything in an experiment follow one class list.

    Heads and complete models get their number of classes, every data set of every loader its
    ``metainfo``, from which MMEngine takes the metric's names, the palette of pictures and what a
    checkpoint says. Calling it again with the same classes changes nothing.

    Args:
        cfg: Changed in place.
        given: What the command line says, see :func:`~mmseg_custom.classes.class_list`; None:
            nothing.
        model: The classes of a checkpoint that is going to be loaded, or None.
        source: The checkpoint's file, named in messages.
        class_map: What the command line says of names in annotation files, see
            :func:`~mmseg_custom.coco.class_map.read_class_map`; None: the chosen list's map holds.

    Returns:
        ClassList: See :func:`~mmseg_custom.classes.choose_classes` for the order of precedence.

    Raises:
        UserError: The experiment says two different lists, its model cannot have these classes, a
            ``class_weight`` has another length, or the command line contradicts the checkpoint.
    """
    said = experiment_classes(cfg)
    chosen = choose_classes(
        None if given is None else class_list(given), model, said, source=source
    )
    if model and said and not model.is_same_as(said) and is_first_process():
        print(f'{source}: knows {model}; these hold, not the {len(said)} of the experiment')
    chosen = with_class_map(chosen, class_map)
    _require_trainable(cfg, chosen)
    if cfg.get('model'):
        set_num_classes(cfg.model, len(chosen))
    metainfo = chosen.to_metainfo()
    for dataset in _leaves(cfg):
        dataset['metainfo'] = dict(metainfo)
    cfg[KEY] = chosen.to_plain()
    return chosen


def experiment_classes(cfg: Config) -> ClassList | None:
    """Return the classes that an experiment says itself, None where it says none.

    It says them by a line ``classes = …`` or as MMSegmentation does, by
    ``metainfo=dict(classes=…)`` in its data sets.

    Args:
        cfg: The experiment.

    Raises:
        UserError: Two places say different classes.
    """
    said = []
    if cfg.get(KEY) is not None:
        said.append((f'`{KEY}`', class_list(_find_file(cfg, cfg[KEY]), f'{cfg.filename}: {KEY}')))
    for dataset in _leaves(cfg):
        metainfo = dataset.get('metainfo') or {}
        if metainfo.get('classes') is not None:
            where = f'the metainfo of {dataset.get("ann_file", dataset.get("type"))}'
            classes = class_list(metainfo, f'{cfg.filename}: {where}')
            said.append((where, ignoring_others(classes)))
    for where, classes in said[1:]:
        if not classes.is_same_as(said[0][1]):
            raise UserError(
                f'{cfg.filename}: {said[0][0]} has {said[0][1]}; {where} has {classes}: all data '
                'sets of an experiment have the same classes'
            )
    return said[0][1] if said else None


def ignoring_others(classes: ClassList) -> ClassList:
    """Let the classes that a subset of the default list leaves out be ignored.

    This is what a subset in a ``metainfo`` means in MMSegmentation. A list with other names, or
    with a class map of its own, stays as it is.

    Args:
        classes: What a ``metainfo`` says.
    """
    default = built_in()
    left_out = [name for name in default.names if classes.label_of(name) is None]
    is_subset = all(default.label_of(name) is not None for name in classes.names)
    if classes.class_map or not is_subset or not left_out:
        return classes
    class_map = dict.fromkeys(left_out, IGNORE)
    return class_list(classes.to_plain() | dict(class_map=class_map))


def _find_file(cfg: Config, value: Any) -> Any:
    """Return a class file's path relative to the config that names it, if it is there."""
    if not isinstance(value, str) or value in built_in_names() or os.path.isfile(value):
        return value
    beside = os.path.join(os.path.dirname(cfg.filename or ''), value)
    return beside if os.path.isfile(beside) else value


def _leaves(cfg: Config) -> Iterator[ConfigDict]:
    for loader in LOADERS:
        if cfg.get(loader):
            yield from leaf_datasets(cfg[loader].dataset)


def _require_trainable(cfg: Config, classes: ClassList) -> None:
    if len(classes) == 1:
        raise UserError(
            f'{cfg.filename}: {classes.names[0]!r} is the only class, so that there is nothing to '
            'distinguish it from: add the name of a background to the list'
        )
    if classes.ignore_index != IGNORE_INDEX:
        raise UserError(
            f'{cfg.filename}: ignore_index {classes.ignore_index}: a model ignores the label '
            f'{IGNORE_INDEX} only'
        )
