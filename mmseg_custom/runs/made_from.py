"""What a training is made from, by content: its config, its arguments, and the files they name."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_custom.coco import read_coco
from mmseg_custom.coco.ann_files import existing_files, joined_path
from mmseg_custom.coco.photo_folders import photos_below
from mmseg_custom.coco.photo_root import AnnPath, photo_root
from mmseg_custom.experiment.build import option_name
from mmseg_custom.experiment.datasets import leaf_datasets
from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import Source, digest_of_data, digest_of_file

# By loader, the argument of train.py that gives its annotations.
LOADERS = dict(train_dataloader='train_json', val_dataloader='val_json')
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
    cfg = Config.fromfile(config).to_dict()
    words = _words(command[2:])
    named = [Path(word) for word in words if word != config and Path(word).is_file()]
    # What an argument replaces does not matter, and may not be there.
    replaced = _replaced_by(words)
    files = [*named, *_files({key: value for key, value in cfg.items() if key not in replaced})]
    paths = {config, str(folder), *map(str, named)}
    return dict(
        config=digest_of_data(_without_files(cfg), Path(config).name),
        arguments=[word for word in words if word not in paths],
        files=[digest_of_file(path) for path in files],
    )


def _words(command: Sequence[str]) -> list[str]:
    """Split each ``--option=value`` as argparse does."""
    parts = [
        word.split('=', 1) if word.startswith('--') and '=' in word else [word] for word in command
    ]
    return [word for part in parts for word in part]


def _replaced_by(words: Sequence[str]) -> set[str]:
    """Return the sections of the config whose files the options of train.py replace."""
    replaced = {loader for loader, argument in LOADERS.items() if option_name(argument) in words}
    if 'val_dataloader' in replaced:
        replaced.add('test_dataloader')
    return replaced


def photos_of(config: str, command: Sequence[str]) -> dict[str, list[Source]]:
    """Return the photos and label masks of a training, for its provenance.

    Args:
        config: The experiment.
        command: See :func:`describe_training`.

    Returns:
        dict[str, list[Source]]: By the loader and the name in the data set, the file.
    """
    cfg, found = Config.fromfile(config), dict[str, list[Source]]()
    words = _words(command)
    given = {word: words[place + 1] for place, word in enumerate(words[:-1])}
    for loader, argument in LOADERS.items():
        for leaf in leaf_datasets(cfg[loader].dataset) if cfg.get(loader) else ():
            root = given.get('--data-root') or leaf.get('data_root') or ''
            named = given.get(option_name(argument))
            named = os.path.abspath(named) if named and os.path.isfile(named) else named
            ann = joined_path(named or leaf.get('ann_file') or '', root)
            for name, path in _listed(ann, root, leaf.get('data_prefix') or {}):
                found[f'{loader} {name}'] = [path]
    return found


def _listed(ann: AnnPath, root: str, prefix: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield name and place of the photos and masks that annotation files or a folder have."""
    try:
        content = read_coco(ann)
    except (UserError, OSError):
        # A folder of photos; else the training reports it.
        if os.path.isdir(ann):
            yield from ((path.relative_to(ann).as_posix(), path) for path in photos_below(ann))
        return
    stored = photo_root(ann, content)
    for image in content['images']:
        for key, part in (('file_name', 'img_path'), ('seg_map_path', 'seg_map_path')):
            if key in image:
                own = Path(root, prefix.get(part) or '', image[key])
                yield image[key], own if own.is_file() else Path(stored, image[key])


def _files(settings: Any) -> list[Path]:
    """Return the files that settings name, those that are there."""
    if isinstance(settings, list | tuple):
        return [path for one in settings for path in _files(one)]
    if not isinstance(settings, dict):
        return []
    found = [path for one in settings.values() for path in _files(one)]
    if settings.get('ann_file'):
        found += existing_files(joined_path(settings['ann_file'], settings.get('data_root') or ''))
    if isinstance(settings.get('load_from'), str):
        found.append(Path(settings['load_from']))
    return [path for path in found if path.is_file()]


def _without_files(settings: Any) -> Any:
    if isinstance(settings, list | tuple):
        return [_without_files(one) for one in settings]
    if isinstance(settings, dict):
        return {key: _without_files(one) for key, one in settings.items() if key not in FILES}
    return settings
