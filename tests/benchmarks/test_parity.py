import pytest
from conftest import ROOT

from benchmarks import parity

pytest.importorskip('onnxruntime')


def compared(names, out, *options):
    args = parity.build_parser().parse_args([*names, '--out', str(out), *options])
    code = parity.run(args)
    rows = [row.split('|')[1:-1] for row in (out / 'table.md').read_text().splitlines()[2:]]
    return code, {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_each_experiment_has_a_row_that_is_made_once(tmp_path, capsys, monkeypatch):
    names = ['laptop_efflite0_trash', 'fcn_r50_trash']
    made = []
    monkeypatch.setattr(parity, 'compare_format', refusing_one(parity.compare_format, made))
    options = ['--formats', '.onnx']
    code, rows = compared(names, tmp_path, *options)
    assert code == 1
    difference, equal = rows['laptop_efflite0_trash'][2].split(', ')
    assert 0 < float(difference) <= 1e-3
    assert float(equal.removesuffix(' %')) >= 99.9
    # Random weights whose masks have one class would prove nothing.
    assert int(rows['laptop_efflite0_trash'][1]) > 3
    assert rows['fcn_r50_trash'][2] == 'refused: no reason'
    assert '1 experiments are refused' in capsys.readouterr().out
    assert compared(names, tmp_path, *options) == (code, rows)
    assert len(made) == 2


def test_a_format_that_ends_the_process_is_said_to(tmp_path, monkeypatch):
    def end(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(parity, 'compare_format', end)
    names = ['laptop_efflite0_trash']
    with pytest.raises(KeyboardInterrupt):
        compared(names, tmp_path, '--formats', '.onnx')
    code, rows = compared(names, tmp_path, '--formats', '.onnx')
    assert code == 1
    assert rows[names[0]][2] == 'refused: the process ended'


def refusing_one(compare_format, made):
    from mmseg_custom.utils import UserError

    def compare(segmenter, suffix, folder):
        made.append(suffix)
        if 'FCN' in str(segmenter.model):
            raise UserError('no reason')
        return compare_format(segmenter, suffix, folder)

    return compare


def test_the_table_is_of_the_complete_zoo():
    configs = {path.stem for path in (ROOT / 'configs').glob('*_trash.py')}
    assert set(parity.NAMES) == configs
