import ast
import re
import runpy
import shlex
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT

from mmseg_custom import trash_seg
from mmseg_custom.cli.remedies import options_of
from mmseg_custom.version import __version__

DOCUMENTS = sorted([*ROOT.glob('*.md'), *(ROOT / 'docs').glob('*.md')])
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
LINK = re.compile(r'\]\(([^)\s]+)\)')
PATH = re.compile(
    r'(?:configs|tools|data_prep|apps|tests|benchmarks|mmseg_custom|docs)/[\w/.-]*\w\.(?:py|sh|md|yaml|csv)'
)
COMMAND = re.compile(r'(?:tools|data_prep|apps|tests)/\w+\.(?:py|sh)')
# The options of every tool, by its name.
PARSERS = {
    path.stem: options_of(runpy.run_path(str(path))['build_parser']())
    for folder in trash_seg.FOLDERS
    for path in trash_seg.find_tools(ROOT / folder)
}
# What dist_X.sh and slurm_X.sh start.
STARTS = re.compile(r'tools/(?:dist|slurm)_(\w+)\.sh')


def anchors(text: str) -> set[str]:
    """Name the headings as GitHub does."""
    headings = re.findall(r'^#+ (.+)$', text, re.M)
    return {
        re.sub(r'[^\w\- ]', '', heading).strip().lower().replace(' ', '-') for heading in headings
    }


def commands(text: str):
    """Yield the commands of the shell blocks, with their comments left out."""
    for block in re.findall(r'```bash\n(.*?)```', text, re.S):
        for line in block.replace('\\\n', ' ').splitlines():
            if COMMAND.search(line):
                words = shlex.split(line.replace('…', ' '), comments=True)
                # A command in quotes is one that another starts.
                inner = next((word for word in words if ' ' in word and COMMAND.match(word)), None)
                yield shlex.split(inner) if inner else words


@pytest.mark.parametrize('name', NAMES)
def test_links_lead_somewhere(name):
    path = ROOT / name
    for link in LINK.findall(re.sub(r'```.*?```', '', path.read_text(), flags=re.S)):
        if link.startswith(('http://', 'https://')):
            continue
        file, _, anchor = link.partition('#')
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.parametrize('name', NAMES)
def test_files_that_are_named_are_there(name):
    for named in PATH.findall((ROOT / name).read_text()):
        assert (ROOT / named).exists(), named


def test_the_readme_is_short():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 150


def test_the_readme_names_every_tool():
    named = set(re.findall(r'`(\w+)`', (ROOT / 'README.md').read_text()))
    assert set(PARSERS) - {'train', 'make_toy_trash'} <= named


@pytest.mark.parametrize('name', NAMES)
def test_underscores_in_link_texts_are_in_code(name):
    """GitHub turns a pair of underscores in a link text, as in configs/_base_/options, italic."""
    text = re.sub(r'```.*?```', '', (ROOT / name).read_text(), flags=re.S)
    for link_text in re.findall(r'(?<!!)\[([^\]]+)\]\(', text):
        assert '_' not in re.sub(r'`[^`]*`', '', link_text), link_text


def test_contributing_stands_alone():
    assert 'design' not in (ROOT / 'CONTRIBUTING.md').read_text()


def names_in_code(folders):
    """Collect modules, classes, functions, arguments and assigned names."""
    for path in (path for folder in folders for path in (ROOT / folder).rglob('*.py')):
        yield from (path.stem, path.parent.name, path.name)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield node.name
            elif isinstance(node, ast.arg):
                yield node.arg
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield node.id if isinstance(node, ast.Name) else node.attr


# What other packages have, what a user writes, and what a command line writes.
NOT_OURS = {
    'ANN',
    'BaseTransform',
    'NAME.py',
    'mine.py',
    'my_loss.py',
    'predictions.json',
    'torch.load',
}


def test_names_in_contributing_are_in_the_code():
    text = re.sub(r'```.*?```', '', (ROOT / 'CONTRIBUTING.md').read_text(), flags=re.S)
    named = set(re.findall(r'`([A-Za-z_][\w.]*)(?:\(.*?\))?`', text)) - NOT_OURS
    known = {*names_in_code(('mmseg_custom', 'tools', 'data_prep', 'apps', 'tests', 'benchmarks'))}
    known |= {path.name for path in ROOT.iterdir()}
    assert len(named) > 30
    missing = {name for name in named if name not in known and not set(name.split('.')) <= known}
    assert not missing


def test_the_tree_in_contributing_names_every_folder_of_the_package():
    text = (ROOT / 'CONTRIBUTING.md').read_text()
    for folder in (ROOT / 'mmseg_custom').iterdir():
        if folder.is_dir() and any(folder.glob('*.py')):
            assert f'{folder.name}/' in text, folder.name


@pytest.mark.parametrize('name', NAMES)
def test_options_that_are_named_exist(name):
    """Each option in code, outside of the commands that the test below reads, is one of a tool."""
    text = re.sub(r'```.*?```', '', (ROOT / name).read_text(), flags=re.S)
    if name == 'CHANGELOG.md':
        # What is new; the rest, and what follows "was", is history.
        text = re.sub(r'was\s+`[^`]*`(,\s+`[^`]*`)*', '', re.split(r'^## ', text, flags=re.M)[1])
    known = {'--help', '--version', '--shm-size', '--max-restarts', '--timeout'}
    for actions in PARSERS.values():
        known |= actions
    for code in re.findall(r'`([^`]+)`', text):
        if not re.match(r'(pip|sbatch|python -m) ', code):
            for option in re.findall(r'(?<![\w-])--[a-z][\w-]*', code):
                assert option in known, code


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    first = re.search(r'^## (\S+)', (ROOT / 'CHANGELOG.md').read_text(), re.M)[1]
    assert citation['version'] == __version__ == first


@pytest.mark.parametrize('name', NAMES)
def test_options_in_commands_are_known(name):
    for words in commands((ROOT / name).read_text()):
        place = next(i for i, word in enumerate(words) if COMMAND.fullmatch(word))
        tool = STARTS.sub(r'tools/\1.py', words[place])
        known = runpy.run_path(str(ROOT / tool))['build_parser']()._option_string_actions
        subcommands = [a.choices for a in known_actions(ROOT / tool) if hasattr(a.choices, 'items')]
        for choices in subcommands:
            for word in words[place + 1 :]:
                if word in choices:
                    known = known | choices[word]._option_string_actions
        options = [word for word in words[place + 1 :] if re.fullmatch(r'--[\w-]+', word)]
        if '--train-args' in options:
            options = options[: options.index('--train-args') + 1]
        assert [option for option in options if option not in known] == [], words


def known_actions(tool):
    return runpy.run_path(str(tool))['build_parser']()._actions


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    command = [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', '-b', 'html']
    done = subprocess.run(
        [*command, '-d', str(tmp_path / 'cache'), 'docs', str(tmp_path / 'site')],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    reference = (tmp_path / 'site' / 'api.html').read_text()
    for name in ('apis.TrashSegmenter', 'transforms.CopyPaste', 'evaluation.TrashIoUMetric'):
        assert f'id="mmseg_custom.{name}"' in reference
