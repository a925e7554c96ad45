import numpy as np
import pytest
from hostile_inputs import damaged, fuzz
from hostile_photos import encoded
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmseg_custom.classes import built_in
from mmseg_custom.coco import load_mask
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.utils import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
PHOTO = Image.fromarray(PIXELS)
LABELS = Image.fromarray(PIXELS[..., 0] % 11)
KINDS = [
    encoded(PHOTO, 'PNG'),
    encoded(PHOTO, 'JPEG'),
    encoded(PHOTO.convert('CMYK'), 'JPEG'),
    encoded(PHOTO.quantize(16), 'GIF', save_all=True, append_images=[PHOTO.quantize(4)]),
    encoded(PHOTO, 'WEBP'),
    encoded(PHOTO, 'TIFF'),
    encoded(Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257), 'PNG'),
    encoded(PHOTO.convert('RGBA'), 'PNG'),
    b'',
]


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz') / 'photo.jpg'


@fuzz
@given(body=st.sampled_from(KINDS).flatmap(damaged))
def test_a_damaged_photo_is_read_or_refused(path, body):
    path.write_bytes(body)
    try:
        photo = read_photo(path)
    except UserError as error:
        assert str(path) in str(error)
        return
    assert photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3


@fuzz
@given(body=st.sampled_from([encoded(LABELS, 'PNG'), *KINDS]).flatmap(damaged))
def test_a_damaged_mask_is_read_or_refused(path, body):
    path.write_bytes(body)
    try:
        mask = load_mask(path, 7, 9, built_in())
    except UserError as error:
        assert str(path) in str(error)
        return
    assert mask.dtype == np.uint8 and mask.shape == (7, 9)
    assert set(np.unique(mask)) <= {*range(11), 255}


@pytest.mark.parametrize('name', ['a\0b.jpg', 'x' * 5000, '\ud800.jpg', 'folder'])
def test_a_name_that_no_file_can_have(tmp_path, name):
    (tmp_path / 'folder').mkdir()
    with pytest.raises(UserError, match='photo'):
        read_photo(tmp_path / name)
