"""The command ``trash-seg``: run any tool from any folder."""

import ast
import runpy
import sys
from pathlib import Path

from mmseg_custom.utils.shared import shared_folder
from mmseg_custom.utils.spelling import did_you_mean
from mmseg_custom.version import __version__

USAGE = 'usage: trash-seg TOOL [arguments]'
FOLDERS = dict(tools='models', data_prep='data', apps='apps')


def main() -> None:
    """Run one of the tools by its name: ``trash-seg train CONFIG …``."""
    root = shared_folder()
    tools = {path.stem: path for folder in FOLDERS for path in find_tools(root / folder)}
    name = sys.argv[1] if len(sys.argv) > 1 else '--help'
    if name in ('-V', '--version'):
        print(f'trash-seg {__version__}')
    elif name in ('-h', '--help'):
        print(overview(root))
    elif name not in tools:
        print(f'trash-seg: error: no tool {name!r}{did_you_mean(name, tools)}', file=sys.stderr)
        print(f'{USAGE}; trash-seg --help lists the tools', file=sys.stderr)
        sys.exit(2)
    else:
        sys.argv[:2] = [str(tools[name])]
        runpy.run_path(str(tools[name]), run_name='__main__')


def find_tools(folder: Path) -> list[Path]:
    """Return the command lines of a folder: the files that describe themselves by a parser."""
    return sorted(path for path in folder.glob('*.py') if 'def build_parser' in path.read_text())


def summary(path: Path) -> str:
    """Return the first line of a file's docstring, without running the file."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or ''
    return text.partition('\n')[0].rstrip('.')


def overview(root: Path) -> str:
    """Return the help: each tool with one line."""
    lines = [USAGE]
    for folder, subject in FOLDERS.items():
        lines += ['', f'{subject}:']
        lines += [f'  {path.stem:<20} {summary(path)}' for path in find_tools(root / folder)]
    lines += ['', 'trash-seg TOOL --help explains one; trash-seg --version']
    return '\n'.join([*lines, f'configs to inherit from: {root / "configs"}'])
