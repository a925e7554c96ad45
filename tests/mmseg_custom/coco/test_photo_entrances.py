"""One file has the same pixels wherever it is read, whatever kind of file it is."""

import io
import json

import cv2
import numpy as np
import pytest
from conftest import ROOT, coco
from hostile_photos import encoded
from PIL import Image

from mmseg_custom.apis import OnnxSegmenter, TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco.decode_photo import MAX_PIXELS, PhotoProblem
from mmseg_custom.coco.jpeg_scans import MAX_SCANS, count_scans
from mmseg_custom.coco.paste.paste_set import open_source
from mmseg_custom.coco.photos import PHOTO_SUFFIXES, photo_size, read_photo, to_bgr
from mmseg_custom.coco.stats.photo_statistics import measure_photos
from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.serving.upload import Limits, read_upload
from mmseg_custom.transforms import LoadTrashImage
from mmseg_custom.utils import UserError

CASES = ROOT.parent / 'shared' / 'cases'
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (24, 36, 3), np.uint8)
GRAY16 = RNG.integers(0, 65536, (24, 36), np.uint16)
RGB16 = RNG.integers(0, 65536, (24, 36, 3), np.uint16)
RGBA = np.dstack([RGB, RNG.integers(0, 256, (24, 36), np.uint8)])
LABELS = RGB[..., 0] % 7
COLORS = RNG.integers(0, 256, (7, 3), np.uint8)


def opencv(suffix, pixels):
    return cv2.imencode(suffix, pixels)[1].tobytes()


def gray(values):
    return np.repeat(values[..., None], 3, axis=2)


def palette(transparent):
    image = Image.fromarray(LABELS)
    image.putpalette(COLORS.tobytes())
    return encoded(image, 'PNG', **(dict(transparency=bytes(range(7))) if transparent else {}))


def rotated(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(Image.fromarray(RGB), kind, exif=exif, **LOSSLESS.get(kind, {}))


def jpeg(mode='RGB', **options):
    return encoded(Image.fromarray(RGB).convert(mode), 'JPEG', **options)


def as_opencv(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


LOSSLESS = dict(WEBP=dict(lossless=True))
# What each value of the EXIF tag says about the stored rows and columns (CIPA DC-008).
UPRIGHT = {
    1: RGB,
    2: RGB[:, ::-1],
    3: RGB[::-1, ::-1],
    4: RGB[::-1],
    5: RGB.transpose(1, 0, 2),
    6: RGB[::-1].transpose(1, 0, 2),
    7: RGB[::-1, ::-1].transpose(1, 0, 2),
    8: RGB[:, ::-1].transpose(1, 0, 2),
}
# Kind of file -> (suffix, content, expected RGB).
FILES = {
    'png': ('.png', encoded(Image.fromarray(RGB), 'PNG'), RGB),
    'bmp': ('.BMP', encoded(Image.fromarray(RGB), 'BMP'), RGB),
    'tiff': ('.Tiff', encoded(Image.fromarray(RGB), 'TIFF'), RGB),
    'webp': ('.webp', encoded(Image.fromarray(RGB), 'WEBP', lossless=True), RGB),
    'gray png': ('.png', encoded(Image.fromarray(LABELS), 'PNG'), gray(LABELS)),
    'one bit': ('.png', encoded(Image.fromarray(LABELS > 3), 'PNG'), gray((LABELS > 3) * 255)),
    'palette': ('.png', palette(False), COLORS[LABELS]),
    'transparent palette': ('.png', palette(True), COLORS[LABELS]),
    'alpha': ('.png', encoded(Image.fromarray(RGBA), 'PNG'), RGB),
    'alpha webp': ('.webp', encoded(Image.fromarray(RGBA), 'WEBP', lossless=True, exact=True), RGB),
    'gray alpha': ('.png', encoded(Image.fromarray(RGBA[..., 2:]), 'PNG'), gray(RGB[..., 2])),
    'gray 16 png': ('.png', opencv('.png', GRAY16), gray(GRAY16 >> 8)),
    'gray 16 tiff': ('.tif', opencv('.tiff', GRAY16), gray(GRAY16 >> 8)),
    'color 16 png': ('.png', opencv('.png', RGB16[..., ::-1]), RGB16 >> 8),
    'color 16 tiff': ('.tif', opencv('.tiff', RGB16[..., ::-1]), RGB16 >> 8),
    'jpeg': ('.jpg', jpeg(), as_opencv(jpeg())),
    'progressive': ('.JPG', jpeg(progressive=True), as_opencv(jpeg(progressive=True))),
    'gray jpeg': ('.jpeg', jpeg('L'), as_opencv(jpeg('L'))),
    'cmyk': (
        '.jpg',
        jpeg('CMYK'),
        np.asarray(Image.open(io.BytesIO(jpeg('CMYK'))).convert('RGB')),
    ),
    **{
        f'{kind} orientation {number}': (suffix, rotated(kind, number), expected)
        for kind, suffix in (('PNG', '.png'), ('TIFF', '.tif'), ('WEBP', '.webp'))
        for number, expected in UPRIGHT.items()
    },
}
for number, exif in ((3, 3), (6, 6)):
    content = rotated('JPEG', exif)
    FILES[f'JPEG orientation {number}'] = ('.jpg', content, as_opencv(content))


def segmenter_of(kind):
    """A segmenter that returns what its model would be given, as RGB."""
    segmenter = object.__new__(kind)
    if kind is TrashSegmenter:
        segmenter._run = lambda arrays: [array[..., ::-1] for array in arrays]
    else:
        segmenter._run = lambda stack: list(stack.transpose(0, 2, 3, 1))
    return segmenter


def by_annotations(path, size):
    image = dict(id=0, file_name=path.name, height=size[0], width=size[1])
    entry = dict(id=0, image_id=0, category_id=7, segmentation=[[1, 1, 9, 1, 9, 9]])
    entry |= dict(bbox=[1, 1, 8, 8], area=32, iscrowd=0)
    ann = path.with_suffix('.json')
    ann.write_text(json.dumps(coco([image], [entry])))
    return ann


def loaded(path):
    image = Image.open(path)
    image.load()
    return image


def pasted(path, size):
    photo, _ = open_source(by_annotations(path, size), built_in()).load(0)
    return photo[..., ::-1]


ENTRANCES = {
    'read_photo': lambda path, size: read_photo(path)[..., ::-1],
    'training': lambda path, size: LoadTrashImage()(dict(img_path=str(path)))['img'][..., ::-1],
    'predict': lambda path, size: list_photos([path])[0].read(),
    'folder': lambda path, size: list_photos([path.parent])[0].read(),
    'copy_paste': pasted,
    **{
        f'{kind.__name__} {form}': lambda path, size, kind=kind, make=make: segmenter_of(kind)(
            make(path)
        )
        for kind in (TrashSegmenter, OnnxSegmenter)
        for form, make in dict(
            path=lambda path: path,
            text=str,
            bytes=lambda path: path.read_bytes(),
            pillow=Image.open,
            loaded=loaded,
        ).items()
    },
}


@pytest.mark.parametrize('entrance', ENTRANCES)
def test_all_entrances_give_the_same_pixels(tmp_path, entrance):
    for kind, (suffix, content, expected) in FILES.items():
        path = tmp_path / kind / f'a{suffix}'
        path.parent.mkdir()
        path.write_bytes(content)
        found = ENTRANCES[entrance](path, expected.shape[:2])
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected, err_msg=kind)


@pytest.mark.parametrize('kind', FILES)
def test_an_upload_the_header_and_the_statistics_agree(tmp_path, kind):
    suffix, content, expected = FILES[kind]
    path = tmp_path / f'a{suffix}'
    path.write_bytes(content)
    assert photo_size(path) == expected.shape[:2]
    if suffix.lower() in ('.png', '.jpg', '.jpeg', '.webp'):
        upload = read_upload(io.BytesIO(content), Limits())
        np.testing.assert_array_equal(upload.photo, expected)
        assert (upload.height, upload.width) == expected.shape[:2]
    mean, _ = measure_photos([path])[0]
    assert abs(mean - cv2.cvtColor(expected.astype(np.uint8), cv2.COLOR_RGB2GRAY).mean()) < 3


@pytest.mark.parametrize('array', [GRAY16, RGB16, RGB / 255, RGBA, RGB[:0]])
def test_other_arrays_are_refused(array):
    with pytest.raises(UserError, match='a photo is an'):
        to_bgr(array)


def test_32_bit_samples_are_refused(tmp_path):
    Image.fromarray(RGB[..., 0].astype(np.float32)).save(tmp_path / 'a.tif')
    with pytest.raises(UserError, match=r'a\.tif: the photo has 32-bit samples'):
        read_photo(tmp_path / 'a.tif')


def scans(number):
    """A JPEG whose last scan is repeated."""
    content = jpeg(progressive=True)
    last = content.rindex(b'\xff\xda')
    return content[:last] + content[last:-2] * number + b'\xff\xd9'


def hostile():
    return {
        'scans.jpg': scans(MAX_SCANS + 1),
        'header.png': opencv('.png', RGB)[:16] + (40_000).to_bytes(4, 'big') * 2,
        'wide.png': opencv('.png', RGB)[:16] + MAX_PIXELS.to_bytes(4, 'big') + b'\0\0\0\2',
    }


FORMS = {
    'path': lambda path: path,
    'bytes': lambda path: path.read_bytes(),
    'pillow': Image.open,
}


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('name', ['scans.jpg'])
def test_many_scans_are_refused_before_they_are_decoded(tmp_path, monkeypatch, name, form):
    path = tmp_path / name
    path.write_bytes(hostile()[name])
    photo = FORMS[form](path)
    monkeypatch.setattr(Image.Image, 'load', lambda *_: pytest.fail('decoded'))
    with pytest.raises(PhotoProblem, match=f'more than {MAX_SCANS} progressive scans'):
        to_bgr(photo)


def test_scans_are_counted_in_the_picture_only():
    thumbnail = scans(MAX_SCANS + 1)
    usual = jpeg(progressive=True)
    comment = b'\xff\xfe' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    assert 2 <= count_scans(usual) <= 20
    assert count_scans(usual[:2] + comment + usual[2:]) == count_scans(usual)
    assert count_scans(usual + thumbnail) == count_scans(usual)
    hidden = b'\xff\xfe\x00\x04\xff\xd9'
    last = thumbnail.rindex(b'\xff\xda')
    assert count_scans(thumbnail[:last] + hidden + thumbnail[last:]) > MAX_SCANS


@pytest.mark.skipif(not CASES.is_dir(), reason=f'the hostile files are not at {CASES}')
@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('header_40000x40000.png', '(40000x40000|megapixels)'),
        ('progressive_1000_scans.jpg', 'scans'),
    ],
)
@pytest.mark.parametrize('form', ['path', 'bytes'])
def test_hostile_files_are_named(name, reason, form):
    with pytest.raises(PhotoProblem, match=reason) as caught:
        to_bgr(FORMS[form](CASES / name))
    assert caught.value.fault == 'size'
    if form == 'path':
        assert name in str(caught.value)


def test_one_list_of_suffixes_serves_listing_and_reading(tmp_path):
    kinds = dict(
        jpg='JPEG', jpeg='JPEG', png='PNG', bmp='BMP', webp='WEBP', tif='TIFF', tiff='TIFF'
    )
    assert {f'.{suffix}' for suffix in kinds} == PHOTO_SUFFIXES
    for suffix, kind in kinds.items():
        for name in (suffix, suffix.upper()):
            path = tmp_path / f'{suffix}_{name}.{name}'
            path.write_bytes(encoded(Image.fromarray(RGB), kind))
    assert len(list_photos([tmp_path])) == 2 * len(kinds)
