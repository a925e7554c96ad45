"""Nested Python data as JSON text, without loss for what configs hold."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

TUPLE, PAIRS = '__tuple__', '__pairs__'


def to_json(content: Any) -> str:
    """Return ``content`` as JSON text that :func:`from_json` turns back into the same data.

    Args:
        content: None, booleans, numbers, texts, lists, tuples and mappings of these.

    Raises:
        TypeError: It holds something else, such as a function or a class.
    """
    return json.dumps(_encode(content), ensure_ascii=False)


def from_json(text: str) -> Any:
    """Return what :func:`to_json` was given. Nothing but plain data can come out.

    Raises:
        ValueError: The text is no such JSON.
    """
    return _decode(json.loads(text))


def without_configs(value: Any) -> Any:
    """Return nested containers with plain dictionaries for MMEngine's ``ConfigDict``."""
    if isinstance(value, dict):
        kind = dict if type(value).__module__.startswith('mmengine.') else type(value)
        items = {key: without_configs(value[key]) for key in value}
        return items if kind is dict else kind(items)
    if type(value) in (list, tuple):
        return type(value)(without_configs(one) for one in value)
    return value


def _encode(value: Any) -> Any:
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: _encode(inner) for key, inner in value.items()}
        return {PAIRS: [[_encode(key), _encode(inner)] for key, inner in value.items()]}
    if isinstance(value, tuple):
        return {TUPLE: [_encode(inner) for inner in value]}
    if isinstance(value, list):
        return [_encode(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f'{value!r} is a {type(value).__name__}, not plain data')


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {TUPLE}:
        return tuple(_decode(value[TUPLE]))
    if value.keys() == {PAIRS}:
        return {_decode(key): _decode(inner) for key, inner in value[PAIRS]}
    return {key: _decode(inner) for key, inner in value.items()}


def flatten(value: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys and the values of what is not divided further.

    Args:
        value: Nested mappings and lists; a list is divided where it holds such.
        key: Put in front of the keys.
    """
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        inner = enumerate(value)
    if not inner:
        yield key, value
    for name, item in inner:
        yield from flatten(item, f'{key}.{name}' if key else str(name))
