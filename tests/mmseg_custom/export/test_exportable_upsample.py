import pytest
import torch
from mmseg.models.utils import Upsample

from mmseg_custom.export.replace import ExportableUpsample


@pytest.mark.parametrize('options', [dict(mode='bilinear', align_corners=False), {}])
@pytest.mark.parametrize('factor', [1, 2, 4])
def test_it_is_mmsegs_upsampling(options, factor):
    original = Upsample(scale_factor=factor, **options)
    assert ExportableUpsample.fits(original)
    x = torch.randn(2, 3, 5, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ExportableUpsample(original)(x), original(x))


@pytest.mark.parametrize(
    'options', [dict(size=(4, 4)), dict(scale_factor=1.5), dict(scale_factor=(2, 3))]
)
def test_other_upsamplings_do_not_fit(options):
    assert not ExportableUpsample.fits(Upsample(**options))
