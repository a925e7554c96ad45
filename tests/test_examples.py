"""The notebooks run from their first cell to their last."""

import json

import pytest
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / 'examples').glob('*.ipynb'))


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
