"""What a training is made from, by content: its config, its arguments, and the files they name."""

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_custom.coco import read_coco
from mmseg_custom.coco.ann_files import AnnFiles, existing_files, joined_path
from mmseg_custom.coco.photo_folders import photos_below
from mmseg_custom.coco.photo_root import AnnPath, photo_root
from mmseg_custom.experiment.build import option_name
from mmseg_custom.experiment.config import change
from mmseg_custom.experiment.datasets import leaf_datasets, set_ann_file, set_data_root
from mmseg_custom.experiment.keys import base_chain
from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import Source, digest_of_data, digest_of_file
from mmseg_custom.utils.model_folder import WEIGHTS
from mmseg_custom.utils.remote import is_dir, is_file, local_path

# By loader, the argument of train.py that gives its annotations.
ARGUMENTS = dict(
    train_dataloader='train_json', val_dataloader='val_json', test_dataloader='val_json'
)
# Keys whose files are compared instead of their paths.
FILES = ('ann_file', 'load_from')


def describe_training(config: str, folder: Path, command: Sequence[str]) -> dict[str, Any]:
    """Describe a training for its provenance.

    Args:
        config: The experiment.
        folder: Where it writes.
        command: The command line: a program, a script, and arguments.

    Returns:
        dict[str, Any]: ``config`` and ``files``, digests, and the other ``arguments``.
    """
    words = _words(command[2:])
    named = [Path(word) for word in words if word != config and os.path.isfile(word)]
    cfg = _experiment(config, words)
    files = dict.fromkeys([*named, *_class_files(config, cfg), *_files(cfg.to_dict())])
    paths = {config, str(folder), *map(str, named)}
    return dict(
        config=digest_of_data(_without_files(_read(config).to_dict()), Path(config).name),
        arguments=[word for word in words if word not in paths],
        files=[digest_of_file(path) for path in files],
    )


def photos_of(config: str, command: Sequence[str]) -> dict[str, list[Source]]:
    """Return the photos and label masks of a training, for its provenance.

    Args:
        config: The experiment.
        command: See :func:`describe_training`.

    Returns:
        dict[str, list[Source]]: By the loader and the name in the data set, the file.
    """
    cfg, found = _experiment(config, _words(command[2:])), dict[str, list[Source]]()
    for loader in ('train_dataloader', 'val_dataloader'):
        for leaf in leaf_datasets(cfg[loader].dataset) if cfg.get(loader) else ():
            root = leaf.get('data_root') or ''
            ann = joined_path(leaf.get('ann_file') or '', root)
            for name, path in _listed(ann, root, leaf.get('data_prefix') or {}):
                found[f'{loader} {name}'] = [path]
    return found


def _read(config: str) -> Config:
    """Return the experiment of a file, which is parsed once as long as no base has changed."""
    files = tuple((str(file), os.stat(file).st_mtime_ns) for file in base_chain(config))
    return copy.deepcopy(_parsed(config, files))


@lru_cache(maxsize=16)
def _parsed(config: str, files: tuple) -> Config:
    return Config.fromfile(config)


def _words(command: Sequence[str]) -> list[str]:
    """Split each ``--option=value`` as argparse does."""
    parts = [
        word.split('=', 1) if word.startswith('--') and '=' in word else [word] for word in command
    ]
    return [word for part in parts for word in part]


def _experiment(config: str, words: Sequence[str]) -> Config:
    """Return the experiment with the files that the options of train.py let it read.

    Args:
        config: The experiment's file.
        words: Arguments of train.py. Those that name no file are not looked at.
    """
    cfg = _read(config)
    values = _values(words)
    if '--override' in values:
        change(cfg, override=values['--override'][-1])
    if '--data-root' in values:
        set_data_root(cfg, values['--data-root'][-1])
    for loader, argument in ARGUMENTS.items():
        if cfg.get(loader) and option_name(argument) in values:
            set_ann_file(cfg, loader, _annotations(values[option_name(argument)]))
    change(cfg, values.get('--cfg-options', ()))
    return cfg


def _values(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each option; of one that is given twice, the last ones."""
    found, option = dict[str, list[str]](), ''
    for word in words:
        if word.startswith('--'):
            option = word
            found[option] = []
        elif option:
            found[option].append(word)
    return found


def _annotations(paths: Sequence[str]) -> AnnPath:
    return paths[0] if len(paths) == 1 else AnnFiles(paths)


def _listed(ann: AnnPath, root: str, prefix: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield name and place of the photos and masks that annotation files or a folder have."""
    try:
        content = read_coco(ann)
    except (UserError, OSError):
        # A folder of photos; else the training reports it.
        if is_dir(ann):
            yield from ((path.relative_to(ann).as_posix(), path) for path in photos_below(ann))
        return
    stored = photo_root(ann, content)
    for image in content['images']:
        for key, part in (('file_name', 'img_path'), ('seg_map_path', 'seg_map_path')):
            if key in image:
                own = Path(local_path(root), prefix.get(part) or '', image[key])
                yield image[key], own if is_file(own) else Path(stored, image[key])


def _class_files(config: str, cfg: Config) -> list[Path]:
    """Return the class file that a config names, relative to its folder or to a base's."""
    classes = cfg.get('classes')
    if not isinstance(classes, str):
        return []
    places = [Path(file).parent / classes for file in base_chain(config)]
    return [path for path in dict.fromkeys(places) if path.is_file()]


def _files(settings: Any) -> list[Path]:
    """Return the files that settings name, those that are there."""
    if isinstance(settings, list | tuple):
        return [path for one in settings for path in _files(one)]
    if isinstance(settings, str):
        # Weights to start from (of the model or a part of it, also a model folder's), a class list.
        there = [
            path for path in (settings, os.path.join(settings, WEIGHTS)) if os.path.isfile(path)
        ]
        return [Path(path) for path in there if settings]
    if not isinstance(settings, dict):
        return []
    found = [path for key, one in settings.items() if key != 'ann_file' for path in _files(one)]
    if settings.get('ann_file'):
        found += existing_files(joined_path(settings['ann_file'], settings.get('data_root') or ''))
    return found


def _without_files(settings: Any) -> Any:
    if isinstance(settings, list | tuple):
        return [_without_files(one) for one in settings]
    if isinstance(settings, dict):
        return {key: _without_files(one) for key, one in settings.items() if key not in FILES}
    return settings
