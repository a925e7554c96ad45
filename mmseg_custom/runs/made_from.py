"""What a training is made from, by content: its config, its arguments, and the files they name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_custom.coco.ann_files import existing_files, joined_path
from mmseg_custom.utils.digests import digest_of_data, digest_of_file

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
    replaced = set()
    if '--train-json' in words:
        replaced.add('train_dataloader')
    if '--val-json' in words:
        replaced |= {'val_dataloader', 'test_dataloader'}
    return replaced


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
