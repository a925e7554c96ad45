import numpy as np
import pytest
from PIL import Image

from mmseg_custom.classes import built_in
from mmseg_custom.coco import colorize, load_mask, save_mask
from mmseg_custom.utils import UserError

CLASSES = built_in().names
PALETTE = built_in().mask_colors


@pytest.fixture
def mask() -> np.ndarray:
    return np.random.default_rng(0).choice([*range(11), 255], (9, 14)).astype(np.uint8)


def test_the_contest_has_eleven_classes_and_colors():
    assert len(CLASSES) == len(set(CLASSES)) == len(set(PALETTE)) == 11
    assert dict(zip(CLASSES, PALETTE, strict=True))['Plastic bag'] == (192, 192, 128)


def test_saved_masks_hold_indices_and_show_colors(tmp_path, mask):
    save_mask(tmp_path / 'a' / 'm.png', mask, built_in())
    np.testing.assert_array_equal(load_mask(tmp_path / 'a' / 'm.png', 9, 14, built_in()), mask)
    seen = np.array(Image.open(tmp_path / 'a' / 'm.png').convert('RGB'))
    shown = colorize(mask, built_in())
    np.testing.assert_array_equal(shown[mask == 5], [built_in().colors[5]] * (mask == 5).sum())
    assert (shown[mask == 255] == 255).all() and (seen[mask == 255] == 255).all()
    np.testing.assert_array_equal(seen[mask == 5], [PALETTE[5]] * (mask == 5).sum())


def refuse(path, words, size=(9, 14)):
    with pytest.raises(UserError) as error:
        load_mask(path, *size, built_in())
    assert str(path) in str(error.value)
    assert words in str(error.value)


def test_bad_mask_files_are_named(tmp_path, mask):
    path = tmp_path / 'm.png'
    refuse(path, 'no such mask')
    save_mask(path, mask, built_in())
    refuse(path, '14x9', size=(14, 9))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refuse(path, 'the mask is truncated or no image')
    path.write_text('no image')
    refuse(path, 'the mask is truncated or no image')
    Image.fromarray(colorize(mask, built_in())).save(path)
    refuse(path, 'RGB')
    mask[3, 3] = 11
    save_mask(path, mask, built_in())
    refuse(path, 'label 11')
