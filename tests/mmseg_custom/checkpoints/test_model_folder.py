"""What is stored as float16, and what is not."""

import pytest
import torch

from mmseg_custom.checkpoints.model_folder import compact


@pytest.mark.parametrize(
    ('name', 'values', 'is_half'),
    [
        ('conv.weight', [0.5, 3.3e-6], True),
        ('conv.weight', [0.5, 1e5], False),
        ('bn.running_var', [0.5, 1.0, 0.0, 6.2e-5], True),
        # Below float16's normal range, and above its largest number.
        ('bn.running_var', [0.5, 3.3e-6], False),
        ('bn.running_var', [0.5, 1e5], False),
    ],
)
def test_float16_keeps_three_digits(name, values, is_half):
    stored = compact(name, torch.tensor(values))
    assert (stored.dtype == torch.float16) == is_half
    smallest = 0 if 'var' in name else 1e-3 * max(values)
    assert stored.tolist() == pytest.approx(values, rel=1e-3, abs=1e-3 * smallest)


def test_counters_stay():
    count = torch.tensor(580)
    assert compact('bn.num_batches_tracked', count) is count
