"""Give the parts of a model config their number of classes."""

import inspect
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from mmseg.models.decode_heads import IterativeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS

from mmseg_custom.utils import UserError

KEY = 'num_classes'


def set_num_classes(model: dict, number: int) -> None:
    """Set the number of classes of every part of a model config that has one.

    The signatures of the registered classes decide, at any depth: heads, lists of auxiliary heads,
    K-Net's kernel heads, backbones that are complete models.

    Args:
        model: Changed in place.
        number: Number of classes, at least 2.

    Raises:
        UserError: A head has one sigmoid for other than two classes or with another threshold
            than 0.5, or ``class_weight`` has another length.
    """
    for key, part in typed_parts(model):
        kind = _class_of(part)
        if kind is None or not _takes_num_classes(kind):
            continue
        part[KEY] = number
        if issubclass(kind, BaseDecodeHead):
            _set_out_channels(key, part, number)
    _check_class_weights(model, number)


def with_num_classes(config: Any, number: int) -> Any:
    """Return a copy of a model config in which parts that say no number of classes have one.

    Args:
        config: A part, a list of parts, or None.
        number: Number of classes.
    """
    config = deepcopy(config)
    for _, part in typed_parts(config):
        kind = _class_of(part)
        if kind is not None and _takes_num_classes(kind):
            part.setdefault(KEY, number)
    return config


def typed_parts(config: Any, key: str = 'model') -> Iterator[tuple[str, dict]]:
    """Yield the dotted key and the dict of every part that has a ``type``, outer ones first.

    Args:
        config: A model config: nested dicts and lists.
        key: The key of ``config`` itself.
    """
    inner: Any = ()
    if isinstance(config, dict):
        if 'type' in config:
            yield key, config
        inner = config.items()
    elif isinstance(config, list | tuple):
        inner = enumerate(config)
    for name, value in list(inner):
        yield from typed_parts(value, f'{key}.{name}')


def _class_of(part: dict) -> type | None:
    kind = part['type']
    if isinstance(kind, str):
        try:
            kind = MODELS.get(kind)
        except (ImportError, KeyError):
            # Of a package that is missing: building the model names it.
            return None
    return kind if inspect.isclass(kind) else None


def _takes_num_classes(kind: type) -> bool:
    """Return whether a class, or a base that it passes its options to, takes ``num_classes``."""
    for base in kind.__mro__:
        if '__init__' not in vars(base):
            continue
        parameters = inspect.signature(vars(base)['__init__']).parameters
        if KEY in parameters:
            return True
        passes_on = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
        # This one passes its options past its base; its kernel heads have the number.
        if not passes_on or base is IterativeDecodeHead:
            return False
    return False


def _set_out_channels(key: str, part: dict, number: int) -> None:
    """Keep MMSegmentation's ``out_channels`` in step, which it also warns about for two classes."""
    if part.get('out_channels') == 1:
        if number == 2 and part.get('threshold') == 0.5:
            return
        raise UserError(
            f'{key}.out_channels is 1: one sigmoid needs two classes and threshold=0.5, since '
            'every command takes the class of the largest probability; set it, or leave '
            'out_channels out'
        )
    if 'out_channels' in part or number == 2:
        part['out_channels'] = number


def _check_class_weights(model: dict, number: int) -> None:
    for key, part in typed_parts(model):
        weights = part.get('class_weight')
        if not isinstance(weights, list | tuple):
            continue
        # Heads that classify masks also weigh "no object", the last.
        of_masks = key.endswith('loss_cls') or str(part.get('loss_name')).startswith('loss_cls')
        if len(weights) != number + of_masks:
            raise UserError(
                f'{key}.class_weight has {len(weights)} numbers for {number} classes: give one '
                f'per class{" and one for no object" if of_masks else ""}'
            )
