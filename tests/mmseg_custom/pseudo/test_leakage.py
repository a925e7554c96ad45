import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_custom.coco.photo_identity import find_same, photo_identity
from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.pseudo import drop_excluded
from mmseg_custom.utils import UserError


def write(path, seed, **options):
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 24, 3), np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def known(folder):
    photos = [photo.read() for photo in list_photos([folder])]
    return [photo_identity(photo) for photo in photos]


def names(photos):
    return [photo.name for photo in photos]


def test_a_validation_photo_is_known_under_any_name_and_format(tmp_path):
    for seed in range(4):
        write(tmp_path / 'all' / f'{seed}.png', seed)
    write(tmp_path / 'val' / 'other_name.png', 1)
    write(tmp_path / 'val' / 'other_format.bmp', 2)
    exif = Image.Exif()
    exif[0x010E] = 'described again'
    write(tmp_path / 'val' / 'other_metadata.png', 3, exif=exif, compress_level=1)
    kept, dropped = drop_excluded(list_photos([tmp_path / 'all']), known(tmp_path / 'val'))
    assert names(kept) == ['0']
    assert dropped == {'1': 'same', '2': 'same', '3': 'same'}


def blobs(seed, size=96):
    """A picture with structure, as a photo has it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), np.uint8)
    return cv2.resize(coarse, (size * 4 // 3, size), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize('way', ['jpeg 30', 'webp', 'half the size', 'larger', 'png of a jpeg'])
def test_a_validation_photo_is_known_when_encoded_again_or_scaled(tmp_path, way):
    for folder in ('all', 'val'):
        (tmp_path / folder).mkdir()
    for seed in range(5):
        Image.fromarray(blobs(seed)).save(tmp_path / 'val' / f'{seed}.png')
    again = Image.fromarray(blobs(3))
    if way == 'half the size':
        again = again.resize((64, 48))
    if way == 'larger':
        again = again.resize((200, 150))
    if way == 'png of a jpeg':
        again.save(tmp_path / 'x.jpg', quality=60)
        again = Image.open(tmp_path / 'x.jpg')
    suffix = {'jpeg 30': '.jpg', 'webp': '.webp'}.get(way, '.png')
    again.save(tmp_path / 'all' / f'again{suffix}', quality=30)
    Image.fromarray(blobs(17)).save(tmp_path / 'all' / 'other.png')
    kept, dropped = drop_excluded(list_photos([tmp_path / 'all']), known(tmp_path / 'val'))
    assert dropped == {'again': 'alike'}
    assert names(kept) == ['other']


def test_real_photos_are_not_alike(real_sample):
    photos = list_photos([real_sample])
    found = [photo_identity(photo.read()) for photo in photos]
    # Every photo is like itself alone.
    for number, one in enumerate(found):
        others = found[:number] + found[number + 1 :]
        assert find_same([one], others) == [None], photos[number].name


def test_a_photo_that_cannot_be_read_stays_for_others_to_report(tmp_path):
    write(tmp_path / 'all' / '0.png', 0)
    (tmp_path / 'all' / '1.png').write_bytes(b'no photo')
    write(tmp_path / 'val' / '0.png', 5)
    kept, _ = drop_excluded(list_photos([tmp_path / 'all']), known(tmp_path / 'val'))
    assert names(kept) == ['0', '1']


def test_none_left_is_a_mistake(tmp_path):
    write(tmp_path / 'all' / '0.png', 0)
    photos = list_photos([tmp_path / 'all'])
    with pytest.raises(UserError, match='every photo is a validation photo'):
        drop_excluded(photos, known(tmp_path / 'all'))
