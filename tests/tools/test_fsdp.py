"""A model that is split over two processes trains, stops and continues as two copies do."""

import json
import shutil

import pytest
import torch
from conftest import tool
from products import ITERS, TOY
from trainings import arguments

from mmseg_custom.checkpoints.safe_load import read_checkpoint

# Parts that are small enough to be wrapped one by one, heads among them if they were not left out.
SMALL = 'strategy.model_wrapper.auto_wrap_policy.min_num_params=10000'


def losses(work_dir) -> dict[int, float]:
    """Return the loss of each iteration."""
    lines = [
        json.loads(line)
        for path in sorted(work_dir.glob('*/vis_data/scalars.json'))
        for line in path.read_text().splitlines()
    ]
    return {line['step']: line['loss'] for line in lines if 'loss' in line}


def train_split(toy_set, work_dir, *more, options=()) -> None:
    options = [*arguments(toy_set, work_dir, '--option', 'fsdp', *more), SMALL, *options]
    tool('tools/dist_train.sh', TOY, 2, *options)


@pytest.mark.slow
def test_two_processes_that_share_a_model_train_as_two_with_a_copy_each(
    trained_by_two, toy_set, tmp_path
):
    complete, resumed = tmp_path / 'complete', tmp_path / 'resumed'
    train_split(toy_set, complete)
    assert losses(complete) == pytest.approx(losses(trained_by_two), rel=1e-3)
    split, copies = (
        read_checkpoint(str(folder / f'iter_{ITERS}.pth'))['state_dict']
        for folder in (complete, trained_by_two)
    )
    torch.testing.assert_close(dict(split), dict(copies), rtol=1e-2, atol=1e-3)

    shutil.copytree(complete, resumed)
    (resumed / f'iter_{ITERS}.pth').unlink()
    (resumed / 'last_checkpoint').write_text(str(resumed / f'iter_{ITERS - 4}.pth'))
    train_split(toy_set, resumed, '--resume')
    first, second = (
        read_checkpoint(str(folder / f'iter_{ITERS}.pth')) for folder in (resumed, complete)
    )
    # Sums over processes are not always made in the same order.
    close = dict(rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(dict(first['state_dict']), dict(second['state_dict']), **close)
    torch.testing.assert_close(first['optimizer']['state'], second['optimizer']['state'], **close)
