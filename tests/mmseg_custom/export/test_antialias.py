import pytest
import torch
import torch.nn.functional as F

from mmseg_custom.export.antialias import resize_bicubic
from mmseg_custom.export.tracing import TracingMode


@pytest.mark.parametrize('size', [(7, 12), (50, 37), (37, 37), (1, 1), (120, 3)])
def test_it_is_pytorchs_antialiased_bicubic_resizing(size):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 37, 21)
    expected = F.interpolate(x, size, mode='bicubic', antialias=True)
    torch.testing.assert_close(resize_bicubic(x, *size), expected, rtol=1e-4, atol=1e-5)


def test_the_mode_replaces_calls_with_sizes_that_are_traced():
    sizes = [torch.tensor(5), torch.tensor(7)]
    with TracingMode():
        stacked = torch.tensor([[sizes[1], sizes[0]], [2, sizes[0]]], dtype=torch.long)
        line = torch.linspace(0.5, sizes[0] - 0.5, sizes[0], dtype=torch.float32)
        single = torch.linspace(0.5, 0.5, torch.tensor(1))
        plain = torch.tensor([1.5, 2.5])
    assert stacked.tolist() == [[7, 5], [2, 5]]
    assert line.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert single.tolist() == [0.5]
    assert plain.tolist() == [1.5, 2.5]
