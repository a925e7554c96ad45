"""The first losses of the toy training, compared with those that were stored.

A change that moves them is either a fault or a decision: look, then store the new ones with
``python tests/tools/test_golden_losses.py``.
"""

import json
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import ROOT, tool  # noqa: E402

GOLDEN = ROOT / 'tests' / 'data' / 'golden_losses.json'


def first_losses(folder: Path) -> list[float]:
    """Draw the toy set and train its config for 20 iterations."""
    sizes = ['--train', 24, '--val', 7, '--test', 1, '--size', 64]
    tool('data_prep/make_toy_trash.py', '--out', folder / 'data', *sizes)
    arguments = ['configs/upernet_swin_toy.py', '--data-root', folder / 'data', '--seed', 0]
    options = ['train_cfg.max_iters=20', 'train_cfg.val_interval=20']
    # The schedule of the complete training, not one shortened with it.
    options += [
        'param_scheduler.0.end=50',
        'param_scheduler.1.begin=50',
        'param_scheduler.1.end=800',
    ]
    options += ['default_hooks.logger.interval=1', 'log_processor.window_size=1']
    work_dir = folder / 'work'
    tool('tools/train.py', *arguments, '--work-dir', work_dir, '--cfg-options', *options)
    (scalars,) = work_dir.glob('*/vis_data/scalars.json')
    lines = map(json.loads, scalars.read_text().splitlines())
    return [line['loss'] for line in lines if 'loss' in line]


def test_first_losses_are_those_stored(tmp_path):
    losses = first_losses(tmp_path)
    assert len(losses) == 20
    assert losses == pytest.approx(json.loads(GOLDEN.read_text()), rel=1e-3)


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as folder:
        GOLDEN.write_text(json.dumps(first_losses(Path(folder)), indent=1) + '\n')
