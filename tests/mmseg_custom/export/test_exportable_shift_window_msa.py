import pytest
import torch
from mmseg.models.backbones.swin import ShiftWindowMSA

from mmseg_custom.export.replace import ExportableShiftWindowMSA


@pytest.mark.parametrize('shift', [0, 1, 3])
@pytest.mark.parametrize(('height', 'width'), [(7, 7), (14, 21), (5, 20), (1, 1), (9, 8)])
def test_it_is_mmsegs_attention(shift, height, width):
    torch.manual_seed(0)
    original = ShiftWindowMSA(12, 3, window_size=7, shift_size=shift).eval()
    torch.nn.init.normal_(original.w_msa.relative_position_bias_table)
    query = torch.randn(2, height * width, 12)
    with torch.no_grad():
        expected = original(query, (height, width))
        found = ExportableShiftWindowMSA(original)(query, (height, width))
    torch.testing.assert_close(found, expected)
