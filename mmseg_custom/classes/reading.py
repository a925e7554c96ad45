"""Read class lists: built-in ones, YAML files, ``metainfo``, and lists of names."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mmseg_custom.utils import UserError

from .labels import OWN_KEYS, ClassList
from .making import make_class_list
from .naming import name_key

DEFAULT = 'recycle_trash'
FOLDER = Path(__file__).parents[1] / 'class_lists'
KEYS = ('names', 'background', 'colors', 'mask_colors', 'ignore_index', 'class_map')


def class_list(value: Any, source: str = 'classes') -> ClassList:
    """Return the class list that a value describes.

    Args:
        value: A :class:`ClassList`; the name of a built-in list (:func:`built_in_names`); the path
            of a YAML file; a list of names; a dict with :data:`KEYS`; or MMSegmentation's
            ``metainfo`` with ``classes`` and ``palette``.
        source: Named in messages.

    Raises:
        UserError: It describes none.
    """
    if isinstance(value, ClassList):
        return value
    if isinstance(value, str | os.PathLike):
        return _read(os.fspath(value))
    if isinstance(value, Mapping):
        return _from_mapping(value, source)
    if isinstance(value, Sequence):
        return make_class_list(value, source=source)
    raise UserError(f'{source}: {value!r} is neither a list of class names, a name, nor a file')


def built_in_names() -> list[str]:
    """Return the names of the lists that come with the project."""
    return sorted(path.stem for path in FOLDER.glob('*.yaml'))


@cache
def built_in(name: str = DEFAULT) -> ClassList:
    """Return a list that comes with the project.

    Args:
        name: One of :func:`built_in_names`.
    """
    return _read_file(FOLDER / f'{name}.yaml')


def _read(text: str) -> ClassList:
    if text in built_in_names():
        return built_in(text)
    if not os.path.isfile(text):
        names = ', '.join(built_in_names())
        raise UserError(f'{text}: is neither a file nor one of the built-in class lists ({names})')
    return _read_file(Path(text))


def _read_file(path: Path) -> ClassList:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8-sig'))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = ' '.join(str(error).split())
        raise UserError(f'{path}: cannot be read as YAML: {reason}') from None
    if isinstance(content, str | None) or not isinstance(content, list | dict):
        raise UserError(f'{path}: holds no class list; write `names:` and one name per line')
    return class_list(content, str(path))


def _from_mapping(value: Mapping[str, Any], source: str) -> ClassList:
    content = dict(value)
    if 'classes' in content:
        # MMSegmentation's metainfo: its palette is what masks are colored with. It may have keys
        # of other libraries, such as label_map.
        content = dict(
            names=content['classes'],
            mask_colors=content.get('palette'),
            **{key: content[key] for key in OWN_KEYS if key in content},
        )
    unknown = sorted(set(map(str, content)) - set(KEYS))
    if unknown or 'names' not in content:
        problem = f'unknown key {unknown[0]!r}' if unknown else 'no key `names`'
        raise UserError(f'{source}: {problem}; a class list has {", ".join(KEYS)}')
    if content.get('background') is not None:
        content['background'] = _background_name(content, source)
    return make_class_list(**content, source=source)


def _background_name(content: Mapping[str, Any], source: str) -> str:
    """Return the name of the background, which is given as a name or as a label."""
    background, names = content['background'], list(map(str, content['names'] or ()))
    if isinstance(background, int) and 0 <= background < len(names):
        return names[background]
    if name_key(str(background)) not in map(name_key, names):
        raise UserError(f'{source}: the background {background!r} is none of its names')
    return background
