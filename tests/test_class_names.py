"""Only the contest's own files know the contest's classes."""

import ast
from pathlib import Path

import pytest
from conftest import ROOT

from mmseg_custom.classes import built_in, name_key

# The submission, its palette and list, and the map from TACO's classes are about the contest.
CONTESTS = (
    'mmseg_custom/classes/',
    'mmseg_custom/coco/convert/',
    'mmseg_custom/toy/',
    'tools/submit.py',
)
NAMES = {name_key(name) for name in built_in().names}
NUMBER = len(built_in())
FILES = [
    path
    for folder in ('mmseg_custom', 'tools', 'apps', 'data_prep', 'configs')
    for path in sorted((ROOT / folder).rglob('*.py'))
    if not str(path.relative_to(ROOT)).startswith(CONTESTS)
]


def docstrings(tree: ast.AST) -> set[int]:
    """Return the identities of the constants that are docstrings, which may give examples."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, 'body', None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            found.add(id(body[0].value))
    return found


def mentions(path: Path) -> list[str]:
    """Return what in a file is a name of one of the contest's classes, or their number."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    skipped = docstrings(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in skipped:
            is_name = isinstance(node.value, str) and name_key(node.value) in NAMES
            is_number = type(node.value) is int and node.value in (NUMBER, NUMBER - 1)
            if is_name or (is_number and near_classes(path, node.lineno)):
                found.append(f'{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}')
        elif isinstance(node, ast.Name) and node.id in ('CLASSES', 'PALETTE'):
            found.append(f'{path.relative_to(ROOT)}:{node.lineno}: {node.id}')
    return found


def near_classes(path: Path, line: int) -> bool:
    """Return whether a line is about classes, not about a font or a column."""
    text = path.read_text(encoding='utf-8').splitlines()[line - 1].lower()
    return any(word in text for word in ('class', 'labels', 'palette'))


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_knows_the_contests_classes(path):
    assert mentions(path) == []


def test_the_default_list_is_asked_for_in_few_places():
    """`built_in()` without a name is the contest's list: a default, not a shortcut."""
    users = set()
    for path in (path for path in FILES if path.is_relative_to(ROOT / 'mmseg_custom')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if called and node.func.id == 'built_in' and not node.args:
                users.add(path.relative_to(ROOT).as_posix())
    assert users <= {
        'mmseg_custom/coco/choose.py',
        'mmseg_custom/datasets/trash_coco.py',
        'mmseg_custom/experiment/set_classes.py',
        'mmseg_custom/models/segmentors/trash_encoder_decoder.py',
    }


@pytest.mark.parametrize(
    'text', ['classes = ["Paper pack"]', 'num_classes = 11', 'x = range(11)  # labels', 'CLASSES']
)
def test_the_test_sees_what_it_looks_for(tmp_path, text, monkeypatch):
    monkeypatch.setitem(globals(), 'ROOT', tmp_path)
    (tmp_path / 'a.py').write_text(text)
    assert len(mentions(tmp_path / 'a.py')) == 1
