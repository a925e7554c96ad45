"""Find arguments that the classes named in an experiment do not take, before anything runs."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine import registry
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.spelling import did_you_mean

from .datasets import LOADERS
from .keys import READ

# Arguments that a builder takes out, or puts in, before the class sees them.
BUILDERS = {'type', '_scope_', '_delete_', 'init_cfg', 'priority', 'requires_grad', 'by_epoch'}
BUILDERS |= {'constructor', 'paramwise_cfg', 'convert_to_iter_based', 'name', 'force_default_scope'}
# Functions that look into keyword arguments and take nothing out.
LOOKING = ('require_used',)
# What these build is described in other libraries' words.
FOREIGN = ('SeededAlbu', 'Albu')
PLAIN = {
    **{name: {*inspect.signature(DataLoader.__init__).parameters} for name in LOADERS},
    'randomness': {*inspect.signature(Runner.set_randomness).parameters},
}
LOADER_KEYS = {'num_batch_per_epoch', 'sampler', 'batch_sampler', 'collate_fn', 'worker_init_fn'}


def require_arguments(cfg: Config) -> None:
    """Raise for a key that the class it is given to does not take.

    Args:
        cfg: A complete experiment. Types that are not registered, and classes that pass unknown
            arguments on, are left to their builders.

    Raises:
        UserError: Names the key, the class, and the nearest argument.
    """
    for section, known in PLAIN.items():
        for key in cfg.get(section) or {}:
            if key not in known | LOADER_KEYS:
                raise UserError(f'{section}.{key}: {section} has no {key!r}{_near(key, known)}')
    hooks = cfg.get('default_hooks') or {}
    for name, hook in hooks.items():
        if isinstance(hook, Mapping) and 'type' not in hook:
            raise UserError(f'default_hooks.{name}: has no type{_near(name, {*hooks} - {name})}')
    for section in READ & cfg.keys():
        _check(section, cfg[section])


def _check(place: str, value: Any) -> None:
    if isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check(f'{place}.{number}', item)
    if not isinstance(value, Mapping):
        return
    name = value.get('type')
    if isinstance(name, str):
        if name in FOREIGN:
            return
        _check_one(place, name, value)
    for key, item in value.items():
        # What is said of the initialization is distributed over the modules by MMEngine.
        if key != 'init_cfg':
            _check(f'{place}.{key}', item)


def _check_one(place: str, name: str, value: Mapping) -> None:
    classes = list(_classes_named(name.rpartition('.')[2]))
    taken = [_arguments(one) for one in classes]
    if not taken or any(one is None for one in taken):
        return
    known = {key for one in taken for key in one or ()}
    for key in value:
        if key not in known | BUILDERS:
            raise UserError(f'{place}.{key}: {name} has no argument {key!r}{_near(key, known)}')


def _near(key: str, known: set[str]) -> str:
    return did_you_mean(key, known - {'self'})


def _classes_named(name: str) -> Iterator[Any]:
    roots = [value for value in vars(registry).values() if isinstance(value, Registry)]
    for root in roots:
        yield from _in_registry(root, name)


def _in_registry(root: Registry, name: str) -> Iterator[Any]:
    if name in root.module_dict:
        yield root.module_dict[name]
    for child in root.children.values():
        yield from _in_registry(child, name)


def _arguments(taker: Any) -> set[str] | None:
    """Return the names of the arguments of a class or function, None if it takes any."""
    if not inspect.isclass(taker):
        return _of_function(taker)
    if issubclass(taker, CheckpointHook):
        # What it does not know is for this method.
        saving = {*inspect.signature(Runner.save_checkpoint).parameters}
        return {*inspect.signature(CheckpointHook.__init__).parameters, *saving}
    found: set[str] = set()
    for one in taker.__mro__:
        function = vars(one).get('__init__')
        if function is None:
            continue
        names = _of_function(function)
        if names is not None:
            return found | names
        if not _only_passes_on(function):
            return None
        parameters = inspect.signature(function).parameters.values()
        found |= {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    return None


def _of_function(function: Any) -> set[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {parameter.name for parameter in parameters}


def _only_passes_on(function: Any) -> bool:
    """Return whether a method uses its ``**kwargs`` for ``super().__init__(**kwargs)`` alone."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef) or definition.args.kwarg is None:
        return False
    name = definition.args.kwarg.arg
    passed = [
        keyword.value
        for call in ast.walk(definition)
        if isinstance(call, ast.Call) and _is_super_init(call.func)
        for keyword in call.keywords
        if keyword.arg is None
    ]
    uses = [n for n in ast.walk(definition) if isinstance(n, ast.Name) and n.id == name]
    # Looking something up in it takes nothing out.
    looked_up = [
        n.value for n in ast.walk(definition) if isinstance(n, ast.Attribute) and n.attr == 'get'
    ]
    looked_up += [
        argument
        for call in ast.walk(definition)
        if isinstance(call, ast.Call) and getattr(call.func, 'id', '') in LOOKING
        for argument in call.args
    ]
    return bool(passed) and all(any(use is one for one in (*passed, *looked_up)) for use in uses)


def _is_super_init(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr == '__init__'
        and isinstance(function.value, ast.Call)
        and isinstance(function.value.func, ast.Name)
        and function.value.func.id == 'super'
    )
