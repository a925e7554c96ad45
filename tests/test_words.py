"""The project writes the field's terms in plain American engineering English."""

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

# What to write instead, and a pattern of what stood there. A word with an innocent meaning is
# only looked for in the phrases that were used.
REPLACED = {
    'fix': r'\bmend(s|ed|ing)?\b',
    'valid': r'\b(un)?sound(ness)?\b',
    'again, from scratch': r'\banew\b',
    'continue': r'\b(goes|going|went|go) on\b',
    'report, say': r'\b(told|tells?)\b(?!.* apart)',
    'complete, atomic': r'\bwhole\b(?!-|:| photo| image| number| slide)',
    'low-confidence': r'\bdoubtful\b',
    'every Nth': r'\bso many-th\b',
    'destroy the process group': r'\btakes? leave\b',
    'pause the garbage collector': r'\brest(s|ing)? collector\b|\bcollector rests\b',
    'self-training': r'\bsecond round\b',
    'baseline': r'\bthe recipe\b',
    'validation image': r'\bphotos? that measures?\b',
    'corrupt': r'\bspoil(t|ed|s)?\b',
    'fraction': r'\bshares? of (the|its|each)\b|\bat most this share\b',
    'color': r'\bcolour',
    'unlabeled, labeled, labeling': r'\b(un)?labell(ed|ing)\b',
    'gray': r'\bgrey\b',
    'center, neighbor, behavior, license': r'\b(centre|neighbour|behaviour|licence)',
    'initialize': r'(initial|normal|optim|real|recogn|regular|general|synchron|vector|quant)'
    r'is(e|es|ed|ing|er|ation)\b|\b(raster|parametr)is',
    'a full sentence': r'(^|: )Of the \w+\.$',
}
FOLDERS = ('mmseg_custom', 'tools', 'data_prep', 'apps', 'configs', 'docs', 'benchmarks')
SUFFIXES = ('.py', '.sh', '.md', '.j2', '.rst', '.yaml')
DOCUMENTS = ('README.md', 'CONTRIBUTING.md', 'Makefile', 'setup.cfg', 'pyproject.toml')
# Names in code, and those that files and other libraries have.
NAMES = re.compile(
    r'``[^`]*``|`[^`]*`|\{\{.*?\}\}|\{%.*?%\}|\w*\.\w+\(|https?://\S+|--[\w-]+|\w+_\w+|unlabelled\.py'
)


def texts(path: Path) -> list[tuple[int, str]]:
    """Comments and strings of Python, every line of anything else; with their line numbers."""
    source = path.read_text(encoding='utf-8')
    if path.suffix != '.py':
        return list(enumerate(source.splitlines(), 1))
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        # A string without a space is a key or a name.
        if token.type in (tokenize.COMMENT, tokenize.STRING) and ' ' in token.string:
            lines = token.string.splitlines()
            found += [(token.start[0] + offset, line) for offset, line in enumerate(lines)]
    return found


def written() -> list[Path]:
    paths = [path for name in FOLDERS for path in sorted((ROOT / name).rglob('*'))]
    kept = [path for path in paths if path.suffix in SUFFIXES and '__pycache__' not in path.parts]
    return [*kept, *(ROOT / name for name in DOCUMENTS)]


@cache
def prose() -> list[tuple[str, str, str]]:
    """Where, the line, and what is left of it without names; read once for all words."""
    return [
        (f'{path.relative_to(ROOT)}:{number}', line.strip(), NAMES.sub('', line))
        for path in written()
        for number, line in texts(path)
    ]


@pytest.mark.parametrize('word', REPLACED)
def test_replaced_words_do_not_come_back(word):
    pattern = re.compile(REPLACED[word], re.IGNORECASE)
    found = [f'{place}: {line}' for place, line, left in prose() if pattern.search(left)]
    assert not found, f'write "{word}":\n' + '\n'.join(found)


@pytest.mark.parametrize('room', sorted(p.name for p in (ROOT / 'mmseg_custom').iterdir()))
def test_docstrings_begin_with_an_imperative(room):
    found = []
    for path in sorted((ROOT / 'mmseg_custom' / room).rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            doc = isinstance(node, ast.FunctionDef) and ast.get_docstring(node) or ''
            if re.match(r'(Returns|Yields|Reads|Writes|Tells?|Gives|Makes)\b', doc):
                found.append(f'{path.relative_to(ROOT)}:{node.lineno}: {doc.splitlines()[0]}')
    assert not found, '\n'.join(found)
