"""The top-level keys of a config: which ones something reads, and what others are taken for."""

import ast
import difflib
import inspect
from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.runner._flexible_runner import FlexibleRunner

from mmseg_custom.utils.errors import UserError

from .named_parts import BASES

# Keys that stand for an option of the command line, wherever they are given.
SHORTHANDS = ('data_root', 'batch_size', 'classes', 'max_iters')
# What MMEngine, MMSegmentation's tools or ours read beside the runner's arguments.
OTHERS = (
    'auto_scale_lr',
    'class_map',
    'crf',
    'custom_imports',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'optimizer_config',
    'runner_type',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
)
READ = {
    *inspect.signature(Runner.__init__).parameters,
    *inspect.signature(FlexibleRunner.__init__).parameters,
    *OTHERS,
} - {'self', 'cfg'}
NEAR = 0.6


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name that is most like ``name``, or nothing."""
    found = difflib.get_close_matches(name, list(known), 1, NEAR)
    return f' (did you mean {found[0]!r}?)' if found else ''


def require_read(cfg: Config, names: Iterable[str], origin: str) -> None:
    """Raise for a top-level key whose change would have no effect.

    Args:
        cfg: The experiment.
        names: Top-level keys that are changed.
        origin: What changes them, for the message.

    Raises:
        UserError: An unknown key, or a variable that the config file has used up.
    """
    for name in names:
        if name in READ or name in SHORTHANDS:
            continue
        if name in cfg:
            raise UserError(
                f'{origin}: {name!r} is a variable of the config file, which was used when the '
                'file was read, so that a change has no effect: change the keys it was used for'
            )
        raise UserError(
            f'{origin}: the experiment has no {name!r}{nearest(name, {*READ, *SHORTHANDS, *cfg})}'
        )


def require_known_in_file(path: str) -> None:
    """Raise for a top-level name in a config file, or in its bases, that nothing reads.

    A name that a file of the chain uses is a variable. The project's own bases are not looked at:
    they offer variables to their heirs.

    Args:
        path: The config.

    Raises:
        UserError: Names the file, the key and the nearest known one.
    """
    chain = base_chain(path)
    trees = {file: ast.parse(file.read_text(encoding='utf-8')) for file in chain}
    used = {name for tree in trees.values() for name in _used(tree)}
    # Later files change what earlier ones begin.
    begun: set[str] = set()
    for file, tree in trees.items():
        assigned = _assigned(tree)
        for name in assigned:
            is_variable = name.startswith('_') or name in used
            known = name in READ or name in SHORTHANDS or is_variable
            if not known and BASES not in file.parents:
                raise UserError(
                    f'{file}: {name!r} is read by nothing{nearest(name, {*READ, *SHORTHANDS})}'
                )
            if known and name in begun and name not in READ and name not in SHORTHANDS:
                _require_used_again(file, tree, name)
        begun |= set(assigned)


def base_chain(path: str | Path) -> list[Path]:
    """Return a config and the files it inherits from, bases first, each once."""
    path = Path(path).resolve()
    bases, _ = Config._get_base_files(str(path)), None
    found = [file for base in bases for file in base_chain(Path(path.parent, base))]
    return list(dict.fromkeys([*found, path]))


def own_values(path: str | Path, name: str) -> list:
    """Return the values that a top-level name has in the files of a config's chain."""
    return [
        config[name]
        for file in base_chain(path)
        if name in (config := Config.fromfile(str(file), import_custom_modules=False))
    ]


def _require_used_again(file: Path, tree: ast.Module, name: str) -> None:
    """Raise when a file assigns a base's variable, which the base has used up, and does not use it.

    Its heirs may, so that only files that are no base of the project are asked.
    """
    if BASES in file.parents or name in _used(tree):
        return
    raise UserError(
        f'{file}: {name!r} is a variable of its base, which has used it already, so that the new '
        'value has no effect: change the keys it was used for'
    )


def _assigned(tree: ast.Module) -> list[str]:
    nodes = [node for node in tree.body if isinstance(node, ast.Assign)]
    targets = [target for node in nodes for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _used(tree: ast.Module) -> set[str]:
    """Return the names that a file reads: its own, and those of its bases (``_base_.name``)."""
    nodes = list(ast.walk(tree))
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return own | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
