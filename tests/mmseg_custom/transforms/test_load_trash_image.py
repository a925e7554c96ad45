import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_custom.transforms import LoadTrashImage
from mmseg_custom.utils import UserError


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 36, 3), np.uint8)


def save(path, photo, **kwargs):
    Image.fromarray(photo).save(path, **kwargs)
    return str(path)


def load(path, **stated):
    return LoadTrashImage()(dict(img_path=path, **stated))


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.webp'])
def test_loads_bgr_as_opencv_does(tmp_path, photo, suffix):
    path = save(tmp_path / f'a{suffix}', photo)
    results = load(path, height=24, width=36)
    np.testing.assert_array_equal(results['img'], cv2.imread(path))
    assert results['img_shape'] == results['ori_shape'] == (24, 36)


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.webp'])
@pytest.mark.parametrize('share', [0.0, 0.3, 0.9, 0.99])
def test_truncated_files_are_named(tmp_path, photo, suffix, share):
    path = save(tmp_path / f'a{suffix}', photo)
    with open(path, 'rb') as file:
        content = file.read()
    with open(path, 'wb') as file:
        file.write(content[: int(len(content) * share)])
    with pytest.raises(UserError, match='truncated or no image') as error:
        load(path)
    assert path in str(error.value)


def test_data_behind_the_picture_is_no_fault(tmp_path, photo):
    path = save(tmp_path / 'a.jpg', photo)
    with open(path, 'ab') as file:
        file.write(b'camera maker notes' * 100)
    assert load(path)['img'].shape == (24, 36, 3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r'a\.jpg: no such photo'):
        load(str(tmp_path / 'a.jpg'))


def test_another_size_than_stated_is_named(tmp_path, photo):
    path = save(tmp_path / 'a.png', photo)
    with pytest.raises(UserError, match='is 36x24, the annotation file says 24x36'):
        load(path, height=36, width=24)


def test_exif_rotation_is_honoured(tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / 'a.jpg', photo, exif=exif)
    assert load(path, height=36, width=24)['img'].shape == (36, 24, 3)


def test_grey_and_transparent_photos_become_bgr(tmp_path, photo):
    for mode in ('L', 'RGBA', 'P'):
        path = str(tmp_path / f'{mode}.png')
        Image.fromarray(photo).convert(mode).save(path)
        assert load(path)['img'].shape == (24, 36, 3)


def test_kept_photos_are_decoded_once_and_do_not_change(tmp_path, photo):
    paths = [save(tmp_path / f'{name}.png', photo) for name in 'ab']
    loader = LoadTrashImage(keep=1)
    for path in paths:
        loader(dict(img_path=path))['img'][:] = 0
        (tmp_path / path).unlink()
    kept = loader(dict(img_path=paths[0]))
    np.testing.assert_array_equal(kept['img'], photo[..., ::-1])
    assert kept['img_shape'] == (24, 36)
    with pytest.raises(UserError, match='no such photo'):
        loader(dict(img_path=paths[1]))
