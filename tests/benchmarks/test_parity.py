import pytest
from conftest import ROOT

from benchmarks import parity

pytest.importorskip('onnxruntime')


def test_each_experiment_has_a_row(tmp_path, capsys, monkeypatch):
    out = tmp_path / 'parity.md'
    monkeypatch.setattr(parity, 'row_of', refusing_one(parity.row_of))
    names = ['laptop_efflite0_trash', 'fcn_r50_trash']
    args = parity.build_parser().parse_args([*names, '--out', str(out)])
    assert parity.run(args) == 1
    rows = [row.split('|') for row in out.read_text().splitlines()[2:]]
    assert [row[1].strip() for row in rows] == names
    assert float(rows[0][3]) <= 1e-3
    assert float(rows[0][4]) >= 99.9
    assert rows[1][2].strip() == 'refused: no reason'
    assert '1 of 2 experiments export' in capsys.readouterr().out


def refusing_one(row_of):
    from mmseg_custom.utils import UserError

    def row(name):
        if name.startswith('fcn'):
            raise UserError('no reason')
        return row_of(name)

    return row


def test_the_table_is_of_the_complete_zoo():
    configs = {path.stem for path in (ROOT / 'configs').glob('*_trash.py')}
    assert set(parity.NAMES) == configs
