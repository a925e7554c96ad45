import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.pseudo import drop_excluded
from mmseg_custom.utils import UserError


def write(path, seed, **options):
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 24, 3), np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def names(photos):
    return [photo.name for photo in photos]


def test_a_validation_photo_is_known_under_any_name_and_format(tmp_path):
    for seed in range(4):
        write(tmp_path / 'all' / f'{seed}.png', seed)
    write(tmp_path / 'val' / 'other_name.png', 1)
    write(tmp_path / 'val' / 'other_format.bmp', 2)
    exif = Image.Exif()
    exif[0x010E] = 'described anew'
    write(tmp_path / 'val' / 'other_metadata.png', 3, exif=exif, compress_level=1)
    kept, dropped = drop_excluded(list_photos([tmp_path / 'all']), list_photos([tmp_path / 'val']))
    assert names(kept) == ['0']
    assert dropped == ['1', '2', '3']


def test_one_pixel_makes_another_photo(tmp_path):
    path = write(tmp_path / 'all' / '0.png', 0)
    pixels = cv2.imread(str(path))
    pixels[3, 4, 1] ^= 1
    (tmp_path / 'val').mkdir()
    cv2.imwrite(str(tmp_path / 'val' / '0.png'), pixels)
    kept, dropped = drop_excluded(list_photos([tmp_path / 'all']), list_photos([tmp_path / 'val']))
    assert names(kept) == ['0'] and dropped == []


def test_a_photo_that_cannot_be_read_stays_for_others_to_report(tmp_path):
    write(tmp_path / 'all' / '0.png', 0)
    (tmp_path / 'all' / '1.png').write_bytes(b'no photo')
    write(tmp_path / 'val' / '0.png', 5)
    kept, _ = drop_excluded(list_photos([tmp_path / 'all']), list_photos([tmp_path / 'val']))
    assert names(kept) == ['0', '1']


def test_none_left_is_a_mistake(tmp_path):
    write(tmp_path / 'all' / '0.png', 0)
    photos = list_photos([tmp_path / 'all'])
    with pytest.raises(UserError, match='every photo is a validation photo'):
        drop_excluded(photos, photos)
