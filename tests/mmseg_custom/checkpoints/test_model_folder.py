"""What is stored as float16, and what is not."""

import pytest
import torch

from mmseg_custom.checkpoints.model_folder import compact


@pytest.mark.parametrize(
    ('value', 'is_half'),
    [
        (torch.tensor([0.5, 1.0, 0.0, 6.2e-5]), True),
        # A variance below float16's normal range, and one above its largest number.
        (torch.tensor([0.5, 3.3e-6]), False),
        (torch.tensor([0.5, 1e5]), False),
        # In a matrix, what is far below the largest value does not show in a sum.
        (torch.tensor([[0.5, 3.3e-6]]), True),
        (torch.tensor([[0.5, 1e5]]), False),
    ],
)
def test_float16_keeps_three_digits(value, is_half):
    stored = compact(value)
    assert (stored.dtype == torch.float16) == is_half
    assert stored.float().flatten().tolist() == pytest.approx(
        value.flatten().tolist(), rel=1e-3, abs=1e-3 * 0.5e-3
    )


def test_counters_stay():
    count = torch.tensor(580)
    assert compact(count) is count
