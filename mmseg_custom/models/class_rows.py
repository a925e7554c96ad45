"""Take over the rows of a classifier by class name, where a checkpoint has other classes."""

from collections.abc import Callable, Mapping, MutableMapping
from copy import deepcopy
from typing import Any

import torch
from mmseg.registry import MODELS
from torch import nn

from mmseg_custom.classes import ClassList, name_key
from mmseg_custom.utils import UserError

from .num_classes import set_num_classes, typed_parts


def match_rows(
    state: MutableMapping[str, torch.Tensor],
    own: Mapping[str, torch.Tensor],
    axes: Mapping[str, int],
    theirs: ClassList,
    ours: ClassList,
) -> None:
    """Give each class of a model the rows that the class of its name has in a checkpoint.

    Rows behind those of the classes ("no object") are taken over, too. A class that the checkpoint
    does not know keeps the rows that it has in the model.

    Args:
        state: The checkpoint's weights by name; changed in place.
        own: The model's weights.
        axes: See :func:`class_axes`.
        theirs: The checkpoint's classes.
        ours: The model's classes.
    """
    pairs = {n: same_class(theirs, ours, n) for n in range(len(ours))}
    for name, axis in axes.items():
        if name not in state or name not in own:
            continue
        more = own[name].shape[axis] - len(ours)
        wanted = list(own[name].shape)
        wanted[axis] = len(theirs) + more
        if list(state[name].shape) != wanted:
            continue
        found = own[name].detach().cpu().clone()
        rows, source = found.movedim(axis, 0), state[name].detach().cpu().movedim(axis, 0)
        for row, other in pairs.items():
            if other is not None:
                rows[row] = source[other]
        for extra in range(more):
            rows[len(ours) + extra] = source[len(theirs) + extra]
        state[name] = found


def same_class(theirs: ClassList, ours: ClassList, label: int) -> int | None:
    """Return the label that a class has in another list, None where it is not in there.

    The background is the same class under any name.

    Args:
        theirs: The other list.
        ours: The list of the class.
        label: Its label.
    """
    if label == ours.background:
        return theirs.background
    keys = [name_key(name) for name in theirs.names]
    key = name_key(ours.names[label])
    found = keys.index(key) if key in keys else None
    return None if found == theirs.background else found


def class_axes(model: Mapping[str, Any], number: int) -> dict[str, int]:
    """Return the weights that have rows of classes, and the axis of these rows.

    The model is built with this number of classes and with one more: what grows has rows of
    classes.

    Args:
        model: A model config.
        number: Its number of classes.

    Raises:
        UserError: The model cannot have another number of classes.
    """

    def build(count: int) -> nn.Module:
        cfg = deepcopy(dict(model))
        for _, part in typed_parts(cfg):
            # Of the losses, with one weight a class.
            part.pop('class_weight', None)
        set_num_classes(cfg, count)
        with torch.random.fork_rng():
            return MODELS.build(cfg)

    axes = growing_axes(build, number)
    if not axes:
        raise UserError(f'{model.get("type")}: no weight depends on the number of classes')
    return axes


def growing_axes(build: Callable[[int], nn.Module], number: int) -> dict[str, int]:
    """Return the weights that grow with the number of classes, and the axis on which they do.

    Args:
        build: Builds a model with a number of classes.
        number: A number of classes.
    """
    few, many = (
        {key: value.shape for key, value in build(count).state_dict().items()}
        for count in (number, number + 1)
    )
    axes = {}
    for key, shape in few.items():
        grown = [n for n, size in enumerate(shape) if many.get(key, shape)[n] == size + 1]
        if len(grown) == 1:
            axes[key] = grown[0]
    return axes
