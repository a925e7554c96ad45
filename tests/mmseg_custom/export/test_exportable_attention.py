import pytest
import torch
from torch import nn

from mmseg_custom.export.replace import ExportableAttention


@pytest.mark.parametrize('options', [{}, dict(batch_first=True), dict(bias=False)])
def test_it_is_pytorchs_attention(options):
    torch.manual_seed(0)
    original = nn.MultiheadAttention(24, 4, **options).eval()
    if original.in_proj_bias is not None:
        nn.init.normal_(original.in_proj_bias)
    query, key, value = torch.randn(5, 2, 24), torch.randn(3, 2, 24), torch.randn(3, 2, 24)
    if options.get('batch_first'):
        query, key, value = (x.transpose(0, 1) for x in (query, key, value))
    with torch.no_grad():
        expected = original(query, key, value)[0]
        found = ExportableAttention(original)(query, key, value)[0]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('option', [dict(kdim=8), dict(add_bias_kv=True), dict(add_zero_attn=True)])
def test_other_attentions_do_not_fit(option):
    assert not ExportableAttention.fits(nn.MultiheadAttention(24, 4, **option))
