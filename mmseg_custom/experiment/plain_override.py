"""Changes of an experiment in a YAML or JSON file: data, which cannot run code as a config can."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from mmengine import registry
from mmengine.config import Config, ConfigDict
from mmengine.registry import Registry

from mmseg_custom.utils.errors import UserError

from .merge import beside, merge

# Keys by which MMEngine imports modules, and a library (transformers) what a model hub sends.
IMPORTING = ('custom_imports', 'imports', 'default_scope', 'trust_remote_code')
# Keys whose values MMEngine looks up in its registries; what it does not find there it imports.
NAMES = ('type', 'ema_type', 'runner_type', 'constructor')
LARGEST = 1 << 20
DELETE = '_delete_'


def read_override(path: str | os.PathLike) -> dict[str, Any]:
    """Read an override and make sure that it can only choose among what is registered.

    A config is a Python program. This is for what comes from elsewhere: numbers, texts, lists and
    mappings, whose ``type`` has to be the name of something registered (MMEngine would import
    ``type: os.system``). The config that it changes has to be read before, since that registers.

    Args:
        path: A ``.json`` file, or YAML.

    Returns:
        dict: Nested like a config; keys may be dotted (``optim_wrapper.optimizer.lr``).

    Raises:
        UserError: It cannot be read, is no mapping, or holds what could import or run something.
    """
    try:
        content = _parse(Path(path))
        refuse_code(path, content)
    except RecursionError:
        raise UserError(f'{path}: is nested too deeply') from None
    return content


def refuse_code(path: str | os.PathLike, content: Any) -> None:
    """Raise where building ``content`` could import or run what is not registered.

    Args:
        path: Where it comes from, for the message.
        content: Nested plain data.

    Raises:
        UserError: Names the key.
    """
    _refuse_code(path, content, _registered_names())


def apply_override(cfg: Config, content: dict[str, Any], path: str | os.PathLike) -> None:
    """Change ``cfg`` in place by what :func:`read_override` returned.

    Args:
        cfg: An experiment.
        content: The override.
        path: Where it comes from, for messages.

    Raises:
        UserError: It names a section that the experiment lacks, or gives text for a number.
    """
    before = Config(cfg._cfg_dict.to_dict())
    if 'classes' in content:
        content = content | dict(classes=beside(Path(path), content['classes']))
    merge(cfg, content, os.fspath(path))
    _refuse_text_for_numbers(path, before._cfg_dict, cfg._cfg_dict)


def _parse(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST:
        raise UserError(f'{path}: is larger than 1 MiB, which is no override')
    try:
        text = path.read_text(encoding='utf-8-sig')
        if path.suffix == '.json':
            content = json.loads(text)
        else:
            # A few aliases of aliases stand for more nodes than there is memory.
            if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
                raise UserError(f'{path}: has YAML aliases (*name); write out what they stand for')
            content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f'{path}: cannot be read: {" ".join(str(error).split())}') from None
    if not isinstance(content, dict):
        raise UserError(f'{path}: holds no mapping; write lines such as `train_cfg.max_iters: 100`')
    return content


def _refuse_code(path: str | os.PathLike, content: Any, names: set[str]) -> None:
    """Raise for the first key or name by which something could be imported."""
    if isinstance(content, list | tuple):
        for item in content:
            _refuse_code(path, item, names)
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if not isinstance(key, str):
            raise UserError(f'{path}: the key {key!r} is no text; write it in quotes')
        for part in key.split('.'):
            if part in IMPORTING or (part.startswith('_') and part != DELETE):
                raise UserError(f'{path}: {key!r} can run code, and belongs into a config')
        last = key.split('.')[-1]
        if last in NAMES and not (isinstance(value, str) and value in names):
            raise UserError(
                f'{path}: {key}: {value!r} is not registered; only a config can import something'
            )
        if last.endswith('_type') and '.' in str(value):
            raise UserError(f'{path}: {key}: {value!r} could be imported; only a config may do so')
        _refuse_code(path, value, names)


def _registered_names() -> set[str]:
    """Return all names in all registries, and those of Albumentations for ``SeededAlbu``."""
    roots = [value for value in vars(registry).values() if isinstance(value, Registry)]
    names = {name for root in roots for name in _names_in(root)}
    try:
        import albumentations
    except ImportError:
        return names
    return names | {name for name in vars(albumentations) if name[0].isupper()}


def _names_in(root: Registry) -> Iterator[str]:
    yield from root.module_dict
    for child in root.children.values():
        yield from _names_in(child)


def _refuse_text_for_numbers(path: str | os.PathLike, before: Any, after: Any) -> None:
    if not (isinstance(before, ConfigDict) and isinstance(after, ConfigDict)):
        return
    for key, value in after.items():
        was = before.get(key)
        if isinstance(was, (int, float)) and isinstance(value, str):
            raise UserError(
                f'{path}: {key}: {value!r} is text, a number is wanted (YAML reads 1e-3 as text; '
                'write 1.0e-3)'
            )
        _refuse_text_for_numbers(path, was, value)
