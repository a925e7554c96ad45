"""The notebooks run from their first cell to their last; scripts name options that there are."""

import json
import re
import runpy
import subprocess

import pytest
from conftest import ROOT

from mmseg_custom.cli.remedies import options_of

NOTEBOOKS = sorted((ROOT / 'examples').glob('*.ipynb'))
SCRIPTS = sorted((ROOT / 'examples').glob('*.sh'))
CALL = re.compile(r'((?:tools|data_prep)/\w+\.py)(.*)')


@pytest.mark.slow
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, monkeypatch):
    monkeypatch.chdir(ROOT / 'examples')
    cells = json.loads(path.read_text())['cells']
    names: dict = {}
    for cell in cells:
        if cell['cell_type'] == 'code':
            # No cell has magic commands, so that each is plain Python.
            exec(compile(''.join(cell['source']), path.name, 'exec'), names)
    assert set(names['bins']) == set(names['found'])
    assert names['mine'].classes == names['segmenter'].classes


def test_there_is_one_and_it_stores_no_output():
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text())['cells']
        assert not any(cell.get('outputs') for cell in cells)


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.stem)
def test_a_script_parses_and_names_options_that_there_are(script):
    subprocess.run(['bash', '-n', script], check=True)
    lines = script.read_text().replace('\\\n', ' ').splitlines()
    calls = [found.groups() for line in lines if (found := CALL.search(line))]
    assert len(calls) > 8
    for tool, rest in calls:
        known = options_of(runpy.run_path(str(ROOT / tool))['build_parser']())
        named = re.findall(r'(?<=\s)--[a-z-]+', rest.partition('--train-args')[0])
        assert set(named) <= set(known), tool
