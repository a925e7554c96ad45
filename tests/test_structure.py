"""Imports go one way, without circles."""

import ast
import graphlib
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / 'mmseg_custom'
# Each floor may import the floors before it; rooms of one floor may import each other one way.
FLOORS = (
    ('utils', 'version', '_quiet_mmseg'),
    ('classes',),
    ('checkpoints', 'coco'),
    ('visualization', 'toy', 'postprocess', 'formats'),
    ('evaluation', 'transforms', 'datasets', 'models', 'optim', 'hooks', 'export', 'plugins'),
    ('experiment', 'visualization.pages'),
    ('apis',),
    ('prediction', 'runs'),
    ('labeling', 'pseudo', 'serving', 'live'),
    ('cli', 'trash_seg'),
)
RANK = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob('*.py'))}


def imported_modules(name: str, path: Path) -> set[str]:
    """The package's own modules that one file imports, also inside functions."""
    package = name.split('.') if path.name == '__init__.py' else name.split('.')[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            base = '.'.join([*start, *filter(None, [node.module])])
            names = {f'{base}.{alias.name}' for alias in node.names}
            found |= {one if one in MODULES else base for one in names}
    return found & set(MODULES) - {name}


IMPORTS = {name: imported_modules(name, path) for name, path in MODULES.items()}


def room(name: str) -> str:
    # Pages show measurements too; the rest of the pictures is below what is registered.
    pages = 'visualization.pages'
    return pages if f'.{pages}' in name else name.split('.')[1]


def test_every_room_has_its_floor():
    assert {room(name) for name in MODULES if '.' in name} == set(RANK)


def test_nothing_imports_upward():
    upward = [
        f'{name} -> {other}'
        for name, others in IMPORTS.items()
        for other in others
        if '.' in name and '.' in other and RANK[room(other)] > RANK[room(name)]
    ]
    assert upward == []


def test_no_import_circle():
    # A package's __init__ imports its files, which may import each other, but not the __init__.
    graphlib.TopologicalSorter(IMPORTS).prepare()


def test_nothing_imports_a_command_line():
    for folder in ('tools', 'data_prep', 'apps', 'mmseg_custom'):
        for path in (ROOT / folder).rglob('*.py'):
            tree = ast.parse(path.read_text())
            modules = [
                node.module or '' for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            ]
            assert not [m for m in modules if m.split('.')[0] in ('tools', 'data_prep', 'apps')]


def test_pools_of_threads_wait_until_the_system_has_none_of_their_threads():
    # A process that is forked before can wait forever for a lock of OpenCV.
    made = {name for name, path in MODULES.items() if 'ThreadPoolExecutor(' in path.read_text()}
    assert made == {'mmseg_custom.utils.thread_pool'}
