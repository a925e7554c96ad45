import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mmseg_custom.export.replace import ExportableAdaptiveAvgPool


@settings(max_examples=60)
@given(
    st.integers(1, 23), st.integers(1, 23), st.one_of(st.integers(1, 8), st.just((2, 5))), st.data()
)
def test_it_is_pytorchs_pooling(height, width, output_size, data):
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    x = torch.randn(2, 3, height, width, generator=generator)
    pool = nn.AdaptiveAvgPool2d(output_size)
    torch.testing.assert_close(ExportableAdaptiveAvgPool(pool)(x), pool(x))
