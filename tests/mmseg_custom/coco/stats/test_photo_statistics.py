import cv2
import numpy as np
import pytest
from PIL import Image, ImageStat

from mmseg_custom.coco.readable import require_photos
from mmseg_custom.coco.stats.photo_statistics import (
    extreme_photos,
    measure_photos,
    photo_statistics,
)
from mmseg_custom.utils import UserError


def test_brightness_and_contrast_are_pillows(real_sample):
    paths = sorted(real_sample.rglob('*.jpg'))[:12]
    expected = []
    for path in paths:
        gray = Image.open(path).convert('L')
        stat = ImageStat.Stat(gray.reduce(4))
        expected.append((stat.mean[0], stat.stddev[0]))
    np.testing.assert_allclose(measure_photos(paths), expected, atol=1)


def test_plain_photos_by_hand(tmp_path):
    for name, color in (('black', 0), ('gray', 100), ('white', 255)):
        assert cv2.imwrite(str(tmp_path / f'{name}.png'), np.full((32, 48, 3), color, np.uint8))
    half = np.zeros((32, 48, 3), np.uint8)
    half[:, 24:] = 200
    assert cv2.imwrite(str(tmp_path / 'half.png'), half)
    paths = [tmp_path / f'{name}.png' for name in ('gray', 'half', 'black', 'white')]
    found = measure_photos(paths)
    np.testing.assert_allclose(found, [[100, 0], [100, 100], [0, 0], [255, 0]], atol=0.5)


def test_a_bad_or_missing_photo_is_named(tmp_path):
    (tmp_path / 'bad.jpg').write_bytes(b'nothing')
    with pytest.raises(UserError, match=r'bad\.jpg: the photo is truncated or no image'):
        measure_photos([tmp_path / 'bad.jpg'])
    paths = [tmp_path / name for name in ('bad.jpg', 'a.jpg', 'b.jpg')]
    with pytest.raises(UserError, match=r'a\.jpg: no such photo \(2 of 3 are'):
        require_photos(paths)
    require_photos(paths[:1])


def test_extremes_are_named_once():
    paths = ['c', 'a', 'b', 'a', 'd']
    measured = np.array([[5.0, 0], [9, 0], [5, 0], [9, 0], [7, 0]])
    assert extreme_photos(paths, measured, 2) == ([2, 0], [1, 4])
    assert extreme_photos(paths, measured, 9) == ([2, 0, 4, 1], [1, 4, 0, 2])


def test_histograms_hold_every_photo():
    measured = np.array([[0, 0], [15.9, 7.9], [16, 8], [255, 127.5]])
    found = photo_statistics(list('abcd'), measured, [0], [3, 2])
    for what, width in (('brightness', 16), ('contrast', 8)):
        entry = found[what]
        assert entry['edges'] == [width * place for place in range(17)]
        assert entry['images'] == [2, 1] + 13 * [0] + [1]
    assert found['brightness']['mean'] == pytest.approx((15.9 + 16 + 255) / 4)
    assert found['darkest'] == [dict(file_name='a', brightness=0)]
    assert [entry['file_name'] for entry in found['brightest']] == ['d', 'c']
