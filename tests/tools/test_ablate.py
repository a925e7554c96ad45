import json

import pytest
from conftest import ROOT, call_tool
from forked_tools import forked_tools  # noqa: F401
from PIL import Image

TOOL = 'tools/ablate.py'
KFOLD = 'data_prep/stratified_kfold.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.mark.slow
@pytest.mark.usefixtures('forked_tools')
def test_two_experiments_are_compared(toy_set, tmp_path, capsys):
    other = tmp_path / 'small_steps.py'
    other.write_text(f'_base_ = {str(TOY)!r}\noptim_wrapper = dict(optimizer=dict(lr=1e-6))\n')
    folds = tmp_path / 'folds'
    call_tool(capsys, KFOLD, toy_set / 'val.json', '--folds', 2, '--out', folds)
    arguments = [TOY, other, '--seeds', 0, '--folds-dir', folds, '--folds', 0, '--data-root']
    arguments += [toy_set, '--out', tmp_path / 'w', '--train-args', '--epochs', 1]
    arguments += ['--batch-size', 2]
    printed = call_tool(capsys, TOOL, *arguments).out
    assert '| upernet_swin_toy |' in printed
    rows = json.loads((tmp_path / 'w' / 'ablation.json').read_text())
    assert [row['name'] for row in rows] == ['upernet_swin_toy', 'small_steps']
    assert all(0 <= row['mean'] <= 100 and row['seconds'] > 0 for row in rows)
    assert f'| {rows[1]["mean"]:.2f} ± 0.00 |' in printed
    assert Image.open(tmp_path / 'w' / 'ablation.png').width == 900
    for row in rows:
        folder = tmp_path / 'w' / row['name'] / 'fold_0_seed_0' / 'val'
        result = max(folder.iterdir())
        content = json.loads(result.read_text())
        assert content['metrics']['mIoU'] == pytest.approx(row['mean'], abs=0.006)


def test_mistakes_are_one_line(tmp_path, capsys):
    done = call_tool(capsys, TOOL, TOY, '--folds', 0, code=2)
    assert '--folds belongs to --folds-dir' in done.err
    done = call_tool(capsys, TOOL, TOY, '--folds-dir', tmp_path, code=2)
    assert 'has no kfold_0_val.json; write folds' in done.err
    (tmp_path / 'kfold_0_val.json').write_text('{}')
    done = call_tool(capsys, TOOL, TOY, '--folds-dir', tmp_path, '--folds', 0, 3, code=2)
    assert 'has no kfold_3_val.json' in done.err
