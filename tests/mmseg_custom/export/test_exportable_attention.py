import pytest
import torch
from torch import nn

from mmseg_custom.export.attention import ExportableAttention


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


@pytest.mark.parametrize('kind', ['bool', 'bool of heads', 'float', 'padding'])
def test_masks_are_pytorchs(kind):
    torch.manual_seed(0)
    original = nn.MultiheadAttention(24, 4).eval()
    query, key = torch.randn(5, 2, 24), torch.randn(3, 2, 24)
    shape = (2 * 4, 5, 3) if kind == 'bool of heads' else (5, 3)
    mask = torch.rand(shape) < 0.5
    mask[..., 0] = False
    masks = dict(attn_mask=torch.randn(5, 3) if kind == 'float' else mask)
    if kind == 'padding':
        masks = dict(key_padding_mask=torch.tensor([[False, True, False], [False, False, True]]))
    with torch.no_grad():
        expected = original(query, key, key, **masks)[0]
        found = ExportableAttention(original)(query, key, key, **masks)[0]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('option', [dict(kdim=8), dict(add_bias_kv=True), dict(add_zero_attn=True)])
def test_other_attentions_do_not_fit(option):
    assert not ExportableAttention.fits(nn.MultiheadAttention(24, 4, **option))
