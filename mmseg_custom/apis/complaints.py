"""Name the key of the experiment that a builder, or the first forward pass, complains about."""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from mmseg_custom.utils import UserError

# What a wrong value in a config makes Python, PyTorch and MMEngine raise.
COMPLAINTS = (
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    AssertionError,
    IndexError,
    RuntimeError,
    NotImplementedError,
)
BUILDERS = ('build_from_cfg', 'build_runner_from_cfg', 'build_model_from_cfg')
# What the runner makes of a section by more than building one object.
SECTIONS = dict(
    build_optim_wrapper='optim_wrapper',
    build_param_scheduler='param_scheduler',
    build_dataloader='train_dataloader',
    build_evaluator='val_evaluator',
)
IN_WORKER = 'in DataLoader worker process'


@contextmanager
def naming_the_key(cfg: Config, first_iteration: int = 0) -> Iterator[None]:
    """Turn what a value of the experiment causes while things are built into one message.

    The first iteration of a training counts as well: it is where a loss meets its class weights. A
    later one is no matter of the experiment, and its exceptions stay what they are.

    Args:
        cfg: The experiment that is built and run.
        first_iteration: Where the training begins.

    Raises:
        UserError: Names the key and the complaint.
    """
    try:
        yield
    except UserError:
        raise
    except COMPLAINTS as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        key = _built_key(frames, cfg)
        if key is None and _is_first(frames, first_iteration):
            key = _transform_key(frames, error, cfg) or _module_key(frames, cfg)
        if key is None:
            raise
        raise UserError(f'{key}: {_text(error)}') from error


def _built_key(frames: list[FrameType], cfg: Config) -> str | None:
    """Return the key of what was being built when it failed."""
    for frame in reversed(frames):
        if frame.f_code.co_name in BUILDERS:
            key = _find(cfg.to_dict(), frame.f_locals.get('cfg'))
            if key:
                return key
    names = [SECTIONS[name] for f in frames if (name := f.f_code.co_name) in SECTIONS]
    return names[-1] if names else None


def _is_first(frames: list[FrameType], first_iteration: int) -> bool:
    """Return whether it failed in the first iteration of the training loop, or loading for it."""
    running = [frame.f_locals.get('self') for frame in frames]
    loops = [one for one in running if isinstance(one, IterBasedTrainLoop)]
    return any(loop._iter == first_iteration for loop in loops)


def _transform_key(frames: list[FrameType], error: BaseException, cfg: Config) -> str | None:
    """Return the key of the transform that was running, or of its data set in a worker."""
    if IN_WORKER in str(error):
        return 'train_dataloader.dataset'
    running = [frame.f_locals.get('self') for frame in frames]
    names = [type(one).__name__ for one in running if isinstance(one, BaseTransform)]
    loader = cfg.get('train_dataloader') or {}
    found = (_find_type(loader, name, 'train_dataloader') for name in reversed(names))
    return next((key for key in found if key), None)


def _find_type(content: Any, name: str, key: str) -> str | None:
    if isinstance(content, Mapping) and content.get('type') == name:
        return key
    items: Any = content.items() if isinstance(content, Mapping) else ()
    items = enumerate(content) if isinstance(content, list | tuple) else items
    found = (_find_type(inner, name, f'{key}.{part}') for part, inner in items)
    return next((key for key in found if key), None)


def _module_key(frames: list[FrameType], cfg: Config) -> str | None:
    """Return the key of the innermost part of the model that was running."""
    running = [frame.f_locals.get('self') for frame in frames]
    modules = [one for one in running if isinstance(one, nn.Module)]
    if not modules:
        return None
    names = {id(module): name for name, module in modules[0].named_modules()}
    named = next((names[id(one)] for one in reversed(modules) if id(one) in names), '')
    key, inner = 'model', cfg.model
    for part in named.split('.'):
        inner = inner.get(part) if isinstance(inner, Mapping) else None
        if inner is None:
            break
        key = f'{key}.{part}'
    return key


def _find(content: Any, wanted: Any, key: str = '') -> str | None:
    """Return the dotted key of the first part of ``content`` that equals ``wanted``."""
    if key and content == wanted:
        return key
    items: Any = ()
    if isinstance(content, Mapping):
        items = content.items()
    elif isinstance(content, list | tuple):
        items = enumerate(content)
    for name, inner in items:
        found = _find(inner, wanted, f'{key}.{name}' if key else str(name))
        if found:
            return found
    return None


def _text(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if IN_WORKER in str(error):
        return lines[-1]
    return f'{lines[0] if lines else "fails"} ({type(error).__name__})'
