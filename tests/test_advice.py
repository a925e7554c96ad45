"""Errors of the package state the cause; only a command names options, and only those it has."""

import ast
import re
import runpy
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT
from test_structure import IMPORTS, MODULES, imported_modules

from mmseg_custom.cli import Parser, main
from mmseg_custom.cli.remedies import REMEDIES, advice, options_of
from mmseg_custom.utils import UserError

TOOLS = {
    path.stem: path
    for folder in ('tools', 'data_prep', 'apps')
    for path in sorted((ROOT / folder).glob('*.py'))
    if 'def build_parser' in path.read_text()
}
OPTIONS = {
    name: options_of(runpy.run_path(str(path))['build_parser']()) for name, path in TOOLS.items()
}
OTHER_TOOL = re.compile(r'(?:tools|data_prep|apps)/(\w+)\.py')
OPTION = re.compile(r'(?<![\w-])--[a-z][\w-]*')
SPEAKING = ('UserError', 'ArgumentTypeError', 'print', 'Kind', 'TrainingStopped')
# Texts for other programs: their options are not ours.
FOREIGN = re.compile(r'curl |pip (install|download)|^{} ?--no-deps|^ ?--[\w-]+: |var\(--|docker ')


def texts_shown(path: Path):
    """Yield the string literals of a file that a person may see: raised, printed, or constants."""
    tree = ast.parse(path.read_text())
    speaking = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        or (isinstance(node, ast.Call) and getattr(node.func, 'id', '') in SPEAKING)
    ]
    speaking += [node for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    for node in speaking:
        yield from literals(node)


def literals(node: ast.AST):
    """Yield the string literals below a node; an f-string is one, with ``{}`` for its values."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else '{}' for part in node.values)
        yield ''.join(parts)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


@cache
def options_named(path: Path) -> list[tuple[str, str]]:
    """Return the other tool or ``''``, and the option, of each mention in a file."""
    texts = [text for text in texts_shown(path) if not FOREIGN.search(text)]
    return [mention for text in texts for mention in mentions(text)]


def mentions(text: str):
    """Yield the tool and the option of each mention; the tool is '' if the text names none."""
    for clause in re.split('[;,]', text):
        for option in OPTION.finditer(clause):
            tools = OTHER_TOOL.findall(clause[: option.start()])
            yield (tools or [''])[-1], option[0]


def reachable(path: Path) -> set[str]:
    """Name the modules of the package that a tool imports, directly or not."""
    found, left = set(), list(imported_modules(f'tools.{path.stem}', path))
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += IMPORTS[name]
    return found


def test_the_package_itself_names_no_option():
    named = {
        f'{name}: {option}'
        for name, path in MODULES.items()
        if not name.startswith(('mmseg_custom.cli', 'mmseg_custom.trash_seg'))
        for _, option in options_named(path)
    }
    assert named == set()


@pytest.mark.parametrize('tool', TOOLS)
def test_a_tool_names_only_options_that_it_has(tool):
    files = [TOOLS[tool]]
    files += [MODULES[name] for name in reachable(TOOLS[tool]) if not name.endswith('.remedies')]
    for path in files:
        for other, option in options_named(path):
            assert option in OPTIONS[other or tool], f'{path.name}: {other} {option}'


@pytest.mark.parametrize('tool', TOOLS)
def test_advice_names_only_options_that_the_tool_has(tool):
    for kind in REMEDIES:
        for other, option in mentions(advice(kind, OPTIONS[tool])):
            assert option in OPTIONS[other or tool], f'{kind}: {other} {option}'


def test_every_kind_that_is_raised_has_a_remedy_and_the_other_way_round():
    raised = set()
    for path in [*MODULES.values(), *TOOLS.values()]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == 'kind':
                raised |= {
                    part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)
                }
    # Those that are passed by position, and that of TrainingStopped.
    text = (ROOT / 'mmseg_custom/apis/training_faults.py').read_text()
    raised |= {kind for kind in REMEDIES if f"'{kind}'," in text} | {'interrupted'}
    assert set(REMEDIES) <= raised
    errors = {kind for kind in raised if isinstance(kind, str) and '-' in kind}
    assert errors <= set(REMEDIES)


def test_a_remedy_is_added_only_where_it_applies(capsys):
    def fail(args):
        raise UserError('a.jpg: no such photo', kind='missing-photos')

    def parser(*options):
        made = Parser(example='')
        for option in options:
            made.add_argument(option)
        return made

    for options, said in (
        ([], 'a.jpg: no such photo\n'),
        (
            ['--no-photos'],
            'a.jpg: no such photo. What to do: leave the photos out with --no-photos',
        ),
        (['--data-root'], 'with --data-root\n'),
        (['--data-root', '--no-photos'], '; or leave'),
    ):
        with pytest.raises(SystemExit) as end:
            main(lambda options=options: parser(*options), fail, [])
        assert end.value.code == 2
        assert said in capsys.readouterr().err
