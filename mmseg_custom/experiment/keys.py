"""The top-level keys of a config: which ones are read, and which would have no effect."""

import ast
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.runner._flexible_runner import FlexibleRunner

from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.spelling import did_you_mean

from .named_parts import BASES

SHORTHANDS = ('data_root', 'batch_size', 'classes', 'max_iters')
"""Keys that stand for an option of the command line, wherever they are given."""

# What MMEngine, MMSegmentation's tools or ours read beside the runner's arguments.
OTHERS = (
    'auto_scale_lr',
    'class_map',
    'crf',
    'custom_imports',
    'find_unused_parameters',
    'load',
    'model_wrapper_cfg',
    'pack',
    'runner_type',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
)
# What MMSegmentation's configs carry along without using it, partly since its version 0.
LEFT_OVERS = (
    'backbone_norm_cfg',
    'checkpoint_config',
    'crop_size',
    'cudnn_benchmark',
    'dist_params',
    'evaluation',
    'fp16',
    'img_norm_cfg',
    'log_config',
    'lr_config',
    'norm_cfg',
    'optimizer_config',
    'runner',
    'workflow',
)
READ = {
    *inspect.signature(Runner.__init__).parameters,
    *inspect.signature(FlexibleRunner.__init__).parameters,
    *OTHERS,
} - {'self', 'cfg'}


def require_read(cfg: Config, names: Iterable[str], origin: str) -> None:
    """Raise for a top-level key whose change would have no effect.

    Args:
        cfg: The experiment.
        names: Top-level keys that are changed.
        origin: What changes them, for the message.

    Raises:
        UserError: An unknown key, or a variable that the config file has used already.
    """
    for name in names:
        if name in READ or name in SHORTHANDS:
            continue
        if name in cfg:
            raise UserError(
                f'{origin}: {name!r} is a variable of the config file, which was used when the '
                'file was read, so that a change has no effect: change the keys it was used for'
            )
        known = {*READ, *SHORTHANDS, *cfg}
        raise UserError(f'{origin}: the experiment has no {name!r}{did_you_mean(name, known)}')


class ConfigFile:
    """A config file and its bases, looked at as text: who assigns and who uses which name.

    Args:
        path: A ``.py`` file with text bases (``_base_``).
    """

    def __init__(self, path: str | Path):
        self.files = base_chain(path)
        trees = [ast.parse(file.read_text(encoding='utf-8')) for file in self.files]
        self._assigned = [_assigned(tree) for tree in trees]
        self._used = [_used(tree) for tree in trees]

    def last_file(self, name: str) -> int:
        """Return the place in the chain of the last file that assigns ``name``, or -1."""
        places = [place for place, names in enumerate(self._assigned) if name in names]
        return places[-1] if places else -1

    def shorthands(self) -> list[str]:
        """Return the shorthands that the last file assigning them does not use itself."""
        found = [(name, self.last_file(name)) for name in SHORTHANDS]
        return [name for name, place in found if place >= 0 and name not in self._used[place]]

    def require_effect(self) -> None:
        """Raise for a top-level name of a user's file that nothing reads.

        The project's own bases offer variables to their heirs and are not looked at.

        Raises:
            UserError: Names the file, the key, and the nearest known one.
        """
        for place, file in enumerate(self.files):
            if BASES not in file.parents:
                for name in self._assigned[place]:
                    self._require_effect(place, name)

    def _require_effect(self, place: int, name: str) -> None:
        used_from_here = {one for used in self._used[place:] for one in used}
        if name.startswith('_') or name in READ or name in SHORTHANDS or name in used_from_here:
            return
        file, places = self.files[place], [p for p in range(place) if name in self._assigned[p]]
        if places:
            if _value(self.files[places[-1]], name) != _value(file, name):
                raise UserError(
                    f'{file}: {name!r} is a variable of its base, which has used it already, so '
                    'that the new value has no effect: change the keys it was used for'
                )
        elif name in LEFT_OVERS:
            print(f'{file}: nothing reads {name!r}', flush=True)
        else:
            near = did_you_mean(name, {*READ, *SHORTHANDS})
            raise UserError(f'{file}: nothing reads {name!r}{near}')


def base_chain(path: str | Path) -> list[Path]:
    """Return a config and the files it inherits from, bases first, each once."""
    path = Path(path).resolve()
    found = [
        file
        for base in Config._get_base_files(str(path))
        for file in base_chain(Config._get_cfg_path(base, str(path))[0])
    ]
    return list(dict.fromkeys([*found, path]))


def _value(file: Path, name: str) -> Any:
    return Config.fromfile(str(file), import_custom_modules=False).get(name)


def _assigned(tree: ast.Module) -> list[str]:
    nodes = [node for node in tree.body if isinstance(node, ast.Assign)]
    targets = [target for node in nodes for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _used(tree: ast.Module) -> set[str]:
    """Return the names that a file reads: its own, and those of its bases (``_base_.name``)."""
    nodes = list(ast.walk(tree))
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return own | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
