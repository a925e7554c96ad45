import json

import pytest
from conftest import ROOT, call_tool
from PIL import Image

TOOL = 'tools/ablate.py'
KFOLD = 'data_prep/stratified_kfold.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.mark.slow
def test_two_experiments_are_compared(toy_set, tmp_path, capsys):
    other = tmp_path / 'small_steps.py'
    other.write_text(f'_base_ = {str(TOY)!r}\noptim_wrapper = dict(optimizer=dict(lr=1e-6))\n')
    folds = tmp_path / 'folds'
    call_tool(capsys, KFOLD, toy_set / 'val.json', '--folds', 2, '--out', folds)
    arguments = [TOY, other, '--seeds', 0, '--folds-dir', folds, '--folds', 0, '--data-root']
    arguments += [toy_set, '--out', tmp_path / 'w', '--train-args', '--epochs', 1]
    arguments += ['--batch-size', 2]
    arguments.insert(0, '--cache-features')
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


def test_variants_take_the_rate_that_is_best_on_the_other_folds(tmp_path, capsys, monkeypatch):
    folds = tmp_path / 'folds'
    folds.mkdir()
    for fold in (0, 1):
        (folds / f'kfold_{fold}_val.json').write_text('{}')
    variants = tmp_path / 'variants.yaml'
    variants.write_text('focal: --loss focal\nema: --option ema\n')
    commands = {}

    def fake(trials, command_of, **options):
        assert options == dict(jobs=1, warm=True, keep_going=False)
        for trial in trials:
            commands[trial.name, trial.fold, trial.seed, trial.lr_factor] = command_of(trial)
            right = 9 if (trial.name == 'focal') == (trial.lr_factor == 3) else 5
            content = dict(iter=1, max_iters=1, seconds=1.0, classes=['a', 'b'])
            content['confusion_matrix'] = [[right, 10 - right], [0, 10]]
            (trial.folder / 'val').mkdir(parents=True, exist_ok=True)
            (trial.folder / 'val' / 'iter_000001.json').write_text(json.dumps(content))

    monkeypatch.setattr('mmseg_custom.runs.trials.run_trials', fake)
    arguments = [TOY, '--variants', variants, '--lr-factors', 1, 3, '--seeds', 0, 4]
    arguments += ['--folds-dir', folds, '--out', tmp_path / 'w', '--cache-features']
    printed = call_tool(capsys, TOOL, *arguments).out
    rows = json.loads((tmp_path / 'w' / 'ablation.json').read_text())
    assert [row['name'] for row in rows] == ['upernet_swin_toy', 'focal', 'ema']
    assert rows[1]['lr_factors'] == {'0': 3, '1': 3}
    assert rows[0]['lr_factors'] == rows[2]['lr_factors'] == {'0': 1, '1': 1}
    # All rates with the first seed, the chosen one with the second.
    assert len(commands) == 3 * 2 * (2 + 1)
    command = ' '.join(commands['focal', 1, 4, 3])
    for words in ('--loss focal', '--lr-factor 3', '--option frozen_features', '--seed 4'):
        assert words in command
    assert '+0.00 to +0.00' in printed


def test_mistakes_are_one_line(tmp_path, capsys):
    done = call_tool(capsys, TOOL, TOY, '--folds', 0, code=2)
    assert '--folds belongs to --folds-dir' in done.err
    done = call_tool(capsys, TOOL, TOY, '--lr-factors', 1, 3, code=2)
    assert 'name them with --folds-dir' in done.err
    (tmp_path / 'wrong.yaml').write_text('- focal')
    done = call_tool(capsys, TOOL, TOY, '--variants', tmp_path / 'wrong.yaml', code=2)
    assert 'a line for each variant' in done.err
    done = call_tool(capsys, TOOL, TOY, '--folds-dir', tmp_path, code=2)
    assert 'has no kfold_0_val.json; write folds' in done.err
    (tmp_path / 'kfold_0_val.json').write_text('{}')
    done = call_tool(capsys, TOOL, TOY, '--folds-dir', tmp_path, '--folds', 0, 3, code=2)
    assert 'has no kfold_3_val.json' in done.err
    (tmp_path / 'kfold_1_val.json').write_text('{}')
    rates = ['--lr-factors', 1, 3, '--lr-folds', 1]
    done = call_tool(capsys, TOOL, TOY, '--folds-dir', tmp_path, *rates, code=2)
    assert 'take at least two' in done.err
