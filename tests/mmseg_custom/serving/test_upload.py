import io
import tracemalloc

import numpy as np
import pytest
from conftest import ROOT  # noqa: F401  (puts the helpers on the path)
from hostile_photos import encoded, hostile_photos
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from mmseg_custom.serving.upload import Limits, UploadError, read_upload

KINDS = ('JPEG', 'PNG', 'WEBP')
ORIENTATION = 0x0112
HOSTILE = {name: case for name, case in hostile_photos().items() if name != 'too_long.jpg'}


def gradient(width, height):
    x, y = np.linspace(0, 255, width), np.linspace(0, 255, height)[:, None]
    return Image.fromarray(np.stack(np.broadcast_arrays(x, y, x * 0), -1).astype(np.uint8))


def read(content, **limits):
    return read_upload(io.BytesIO(content), Limits(**limits))


@pytest.mark.parametrize('kind', KINDS)
def test_a_small_photo_is_what_pillow_decodes(kind):
    content = encoded(gradient(60, 40), kind)
    upload = read(content)
    assert np.array_equal(upload.photo, np.asarray(Image.open(io.BytesIO(content)).convert('RGB')))
    assert (upload.height, upload.width) == (40, 60)


@pytest.mark.parametrize('mode', ['L', '1', 'P', 'RGBA', 'LA', 'CMYK'])
def test_every_mode_becomes_rgb(mode):
    content = encoded(gradient(30, 20).convert(mode), 'JPEG' if mode == 'CMYK' else 'PNG')
    photo = read(content).photo
    assert photo.shape == (20, 30, 3) and photo.dtype == np.uint8


@pytest.mark.parametrize('kind', KINDS)
def test_a_large_photo_is_shrunk(kind):
    content = encoded(gradient(1600, 900), kind)
    upload = read(content, max_side=160)
    assert upload.photo.shape == (90, 160, 3)
    assert (upload.height, upload.width) == (900, 1600)
    expected = np.asarray(gradient(1600, 900).resize((160, 90), Image.Resampling.BOX), float)
    assert np.abs(upload.photo - expected).mean() < 3


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('side', [64, 32])
def test_exif_rotation_is_honoured(orientation, kind, side):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    content = encoded(gradient(60, 40), kind, exif=exif)
    upload = read(content, max_side=side)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert('RGB')
    assert (upload.width, upload.height) == upright.size
    upright.thumbnail((side, side))
    assert upload.photo.shape == np.asarray(upright).shape
    assert np.abs(upload.photo.astype(int) - np.asarray(upright)).mean() < 3


@pytest.mark.parametrize('kind', KINDS)
def test_the_limit_of_pixels_is_kept(kind):
    content = encoded(gradient(50, 20), kind)
    assert read(content, max_pixels=1000).photo.size == 3000
    with pytest.raises(UploadError, match='50x20 pixels') as caught:
        read(content, max_pixels=999)
    assert caught.value.status == 413


@pytest.mark.filterwarnings('ignore:Image size:PIL.Image.DecompressionBombWarning')
@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_files_are_refused_in_little_memory(name):
    content, statuses = HOSTILE[name]
    tracemalloc.start()
    with pytest.raises(UploadError) as caught:
        read(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.status in statuses
    assert peak < 8 << 20


@settings(max_examples=300)
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_damaged_bytes_are_read_or_refused(data, kind):
    content = bytearray(encoded(gradient(24, 16), kind))
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        content[place] = value
    try:
        upload = read(bytes(content), max_pixels=10_000)
    except UploadError as error:
        assert error.status in (413, 415, 422)
    else:
        assert upload.photo.ndim == 3 and upload.photo.dtype == np.uint8
